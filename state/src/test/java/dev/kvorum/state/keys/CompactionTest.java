package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.RealDisk;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.MetaKey;
import dev.kvorum.state.backend.RevisionKey;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compactions, and what etcd once got wrong about them.
class CompactionTest {
  @TempDir Path directory;

  private StoreRig rig;

  @BeforeEach
  void open() throws IOException {
    rig = new StoreRig(directory.resolve("db"));
  }

  private void compact(long rev) throws IOException {
    rig.store.compact(rev);
    rig.finishCompactions();
  }

  private List<String> rowsInFile() throws CorruptionException {
    List<String> rows = new ArrayList<>();
    Cursor cursor = rig.backend.read().keys().cursor();
    for (boolean more = cursor.first(); more; more = cursor.next()) {
      byte[] key = cursor.key();
      rows.add(
          RevisionKey.main(key) + "." + RevisionKey.sub(key) + (key.length == RevisionKey.TOMBSTONE_SIZE ? "t " : " ")
              + Bytes.wrap(StoredKv.keyOf(cursor.value())).toUtf8());
    }
    return rows;
  }

  private List<String> events(long from) throws IOException {
    try (KvView view = rig.store.view()) {
      return view.events(from, Long.MAX_VALUE, Integer.MAX_VALUE, null).events().stream()
          .map(e -> e.type() + " " + e.key().toUtf8() + " " + e.main())
          .toList();
    }
  }

  private void writeExample() {
    rig.put("a", "1"); // 2
    rig.put("b", "1"); // 3
    rig.put("a", "2"); // 4
    rig.delete("b"); // 5
    rig.put("c", "1"); // 6
    rig.put("b", "2"); // 7
  }

  @Test
  void compactionLeavesWhatItsRevisionNeeds() throws IOException {
    writeExample();
    compact(4);
    assertThat(rowsInFile()).containsExactly("3.0 b", "4.0 a", "5.0t b", "6.0 c", "7.0 b");
    compact(6);
    assertThat(rowsInFile()).containsExactly("4.0 a", "6.0 c", "7.0 b");
    assertThat(rig.store.keyCount()).isEqualTo(3);
  }

  /// 18089: an event was dropped when compacting on a deletion's revision.
  @Test
  void aWatchFromTheCompactedRevisionSeesTheDeletionThere() throws IOException {
    writeExample();
    compact(5);
    assertThat(rowsInFile()).containsExactly("4.0 a", "5.0t b", "6.0 c", "7.0 b");
    assertThat(events(5)).containsExactly("DELETE b 5", "PUT c 6", "PUT b 7");
    rig.crashAndReopen();
    assertThat(events(5)).containsExactly("DELETE b 5", "PUT c 6", "PUT b 7");
    assertThat(rig.store.compactRevision()).isEqualTo(5);
  }

  /// 19179: a compaction's batches fell between a key's creation and its deletion.
  @Test
  void everyStepOfACompactionShowsTheDeletionAtItsRevision() throws IOException {
    writeExample();
    rig.commit();
    rig.store.compact(5);
    rig.commit();
    while (rig.store.compaction() != null) {
      rig.stepCompaction(1, 1);
      assertThat(events(5)).containsExactly("DELETE b 5", "PUT c 6", "PUT b 7");
      try (KvView view = rig.store.view()) {
        assertThat(view.count(KeyRange.all(), 5)).isEqualTo(1);
        assertThat(view.count(KeyRange.all(), 0)).isEqualTo(3);
      }
    }
  }

  /// 17780: the revision fell when the process died in a compaction whose last revision was a deletion.
  @Test
  void theRevisionDoesNotFallWhenACompactionIsInterrupted() throws IOException {
    rig.put("a", "1");
    rig.delete("a");
    rig.put("b", "1");
    rig.delete("b");
    rig.commit();
    rig.store.compact(5);
    rig.commit();
    rig.stepCompaction(10, 1);
    rig.stepCompaction(10, 1);
    assertThat(rig.store.compaction()).isNotNull();
    rig.crashAndReopen();
    assertThat(rig.store.currentRevision()).isEqualTo(5);
    assertThat(rig.store.compactRevision()).isEqualTo(5);
    rig.finishCompactions();
    assertThat(rowsInFile()).containsExactly("5.0t b");
    assertThat(rig.store.compactionHashes()).isEmpty();
    rig.crashAndReopen();
    assertThat(rig.store.currentRevision()).isEqualTo(5);
    assertThat(rig.store.compaction()).isNull();
  }

  /// 17780, for files in which the newest revision itself has been deleted, as etcd before 3.5.16 left them.
  @Test
  void theRevisionIsAtLeastTheCompactedOne() throws IOException {
    rig.put("a", "1");
    rig.backend
        .batch()
        .put(BucketName.META, MetaKey.FINISHED_COMPACT_REV, Bytes.wrap(RevisionKey.encode(9, 0)));
    rig.commit();
    rig.crashAndReopen();
    assertThat(rig.store.currentRevision()).isEqualTo(9);
    assertThat(rig.put("a", "2")).isEqualTo(10);
  }

  /// `etcdutl snapshot restore --bump-revision` leaves a revision without a record.
  @Test
  void aRevisionWithoutARecordOnlyRaisesTheRevision() throws IOException {
    rig.put("a", "1");
    rig.commit();
    rig.close();
    try (Bolt bolt = Bolt.open(new RealDisk(), directory.resolve("db"), StoreRig.UNSYNCED);
        WriteTx tx = bolt.beginWrite()) {
      tx.bucket(Bytes.utf8("key").array()).put(RevisionKey.encode(1_000_002, 0), new byte[0]);
      tx.commit();
    }
    rig = new StoreRig(directory.resolve("db"));
    assertThat(rig.store.currentRevision()).isEqualTo(1_000_002);
    rig.store.checkInvariants();
    try (KvView view = rig.store.view()) {
      assertThat(view.count(KeyRange.all(), 0)).isEqualTo(1);
    }
    assertThat(rig.put("a", "2")).isEqualTo(1_000_003);
    compact(1_000_003);
    assertThat(rowsInFile()).containsExactly("1000002.0 ", "1000003.0 a");
  }

  @Test
  void aKeyThatIsNoRevisionIsCorruption() throws IOException {
    rig.put("a", "1");
    rig.commit();
    rig.close();
    try (Bolt bolt = Bolt.open(new RealDisk(), directory.resolve("db"), StoreRig.UNSYNCED);
        WriteTx tx = bolt.beginWrite()) {
      tx.bucket(Bytes.utf8("key").array()).put(Bytes.utf8("not a revision...").array(), new byte[0]);
      tx.commit();
    }
    assertThatThrownBy(() -> new StoreRig(directory.resolve("db"))).isInstanceOf(CorruptionException.class);
  }

  @Test
  void aRecordThatDoesNotParseIsCorruption() throws IOException {
    rig.close();
    try (Bolt bolt = Bolt.open(new RealDisk(), directory.resolve("db"), StoreRig.UNSYNCED);
        WriteTx tx = bolt.beginWrite()) {
      tx.bucket(Bytes.utf8("key").array()).put(RevisionKey.encode(2, 0), new byte[] {0x0a, 0x7f});
      tx.commit();
    }
    assertThatThrownBy(() -> new StoreRig(directory.resolve("db")))
        .isInstanceOf(CorruptionException.class)
        .hasMessageContaining("revision 2");
  }

  /// 18667: members compacted at different times answered a range in a txn differently. Whether a revision can be read
  /// is decided by the log, not by how far the work has got.
  @Test
  void aRevisionIsRefusedFromTheCompactionsEntryOnWhateverTheWork() throws IOException {
    writeExample();
    rig.store.compact(5);
    KvTxn txn = rig.store.begin();
    assertThatThrownBy(() -> txn.checkRevision(4)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThatThrownBy(() -> txn.range(KeyRange.all(), RangeOptions.LATEST.at(4)))
        .isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThat(txn.range(KeyRange.all(), RangeOptions.LATEST.at(5)).count()).isEqualTo(1);
    txn.end();
    rig.finishCompactions();
    rig.crashAndReopen();
    KvTxn again = rig.store.begin();
    assertThatThrownBy(() -> again.checkRevision(4)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThat(again.range(KeyRange.all(), RangeOptions.LATEST.at(5)).count()).isEqualTo(1);
    again.end();
  }

  @Test
  void compactionsOutsideHistoryAreRefused() throws IOException {
    writeExample();
    assertThatThrownBy(() -> rig.store.compact(-1)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThatThrownBy(() -> rig.store.compact(8)).isSameAs(EtcdException.of(EtcdError.FUTURE_REV));
    compact(0);
    assertThatThrownBy(() -> rig.store.compact(0)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    compact(7);
    assertThatThrownBy(() -> rig.store.compact(7)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThat(rig.store.compactRevision()).isEqualTo(7);
  }

  @Test
  void theFileIsNotTouchedBeforeTheScheduledCompactionIsDurable() throws IOException {
    writeExample();
    rig.commit();
    Compaction compaction = rig.store.compact(5);
    assertThat(rig.store.compactIndexStep(100)).isTrue();
    assertThat(compaction.isReady()).isFalse();
    assertThat(rig.stepCompaction(1, 100)).isNull();
    rig.commit();
    assertThat(compaction.isReady()).isTrue();
    assertThat(rig.stepCompaction(1, 100)).isSameAs(compaction);
    assertThat(compaction.isFinished()).as("with the step that finds nothing more to delete").isFalse();
    assertThat(rig.stepCompaction(1, 100)).isSameAs(compaction);
    assertThat(compaction.isFinished()).isTrue();
    assertThat(compaction.deleted()).isEqualTo(2);
  }

  @Test
  void theSpaceACompactionWinsShowsWhenItIsFinished() throws IOException {
    for (int i = 0; i < 500; i++) {
      rig.put("a", "x".repeat(1000));
    }
    rig.commit();
    long before = rig.backend.size().inUseBytes();
    rig.store.compact(rig.store.currentRevision());
    rig.commit();
    while (rig.store.compaction() != null) {
      rig.stepCompaction(1, 10_000);
    }
    assertThat(rig.backend.size().inUseBytes()).isLessThan(before / 4);
  }

  @Test
  void viewsHeldThroughACompactionStillReadWhatTheyCould() throws IOException {
    writeExample();
    rig.commit();
    try (KvView old = rig.store.view()) {
      compact(7);
      for (int i = 0; i < 50; i++) {
        rig.put("filler" + i, "x".repeat(500));
        rig.commit();
      }
      assertThat(StoredKv.decode(old.get(Bytes.utf8("a"), 2)).value().toUtf8()).isEqualTo("1");
      assertThat(old.count(KeyRange.all(), 3)).isEqualTo(2);
      assertThat(old.events(2, 7, 100, null).events()).hasSize(6);
    }
  }

  @Test
  void aKeyDeletedAndCreatedManyTimesKeepsOnlyItsEnd() throws IOException {
    for (int i = 0; i < 300; i++) {
      rig.put("lock", "holder" + i);
      rig.delete("lock");
    }
    long last = rig.put("lock", "final");
    try (KvView view = rig.store.view()) {
      assertThat(view.count(KeyRange.all(), 2 + 2 * 150)).isEqualTo(1);
      assertThat(view.count(KeyRange.all(), 3 + 2 * 150)).isZero();
    }
    compact(last);
    assertThat(rowsInFile()).containsExactly(last + ".0 lock");
    rig.crashAndReopen();
    try (KvView view = rig.store.view()) {
      StoredKv kv = StoredKv.decode(view.get(Bytes.utf8("lock"), 0));
      assertThat(kv.version()).isEqualTo(1);
      assertThat(kv.createRevision()).isEqualTo(last);
    }
  }
}
