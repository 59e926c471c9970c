package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// HashKV against what etcd 3.7.1 answered to the same writes, and against bytes spelled out by hand.
class HashKvTest {
  @TempDir Path directory;

  private StoreRig rig;

  @BeforeEach
  void open() throws IOException {
    rig = new StoreRig(directory.resolve("db"));
  }

  /// Revisions 2 to 35, as etcdctl wrote them to etcd 3.7.1.
  private void writeWhatEtcdWasGiven() {
    for (int i = 1; i <= 30; i++) {
      rig.put("k" + i % 12, "v" + i);
    }
    KvTxn txn = rig.store.begin();
    txn.put(Bytes.utf8("a"), Bytes.utf8("1"), 0);
    txn.put(Bytes.utf8("b"), Bytes.utf8("2"), 0);
    txn.deleteRange(KeyRange.single(Bytes.utf8("k1")));
    txn.end();
    rig.delete("k2");
    rig.delete("k3");
    assertThat(rig.put("k3", "again")).isEqualTo(35);
  }

  private void assertHash(long rev, long hash, long compactRev) throws IOException {
    try (KvView view = rig.store.view()) {
      KvHash found = view.hashByRevision(rev);
      assertThat(Integer.toUnsignedLong(found.hash())).as("hash at %d", rev).isEqualTo(hash);
      assertThat(found.compactRevision()).isEqualTo(compactRev);
      assertThat(found.revision()).isEqualTo(rev == 0 ? view.currentRevision() : rev);
    }
  }

  @Test
  void hashesEqualEtcdsBeforeAndAfterCompactionsAtTombstones() throws IOException {
    writeWhatEtcdWasGiven();
    assertHash(5, 2481320837L, -1);
    assertHash(20, 1250910485L, -1);
    assertHash(32, 2553195267L, -1);
    assertHash(0, 466320202L, -1);
    compact(32);
    assertHash(32, 2553195267L, -1);
    assertHash(33, 3075359273L, 32);
    assertHash(35, 2836693597L, 32);
    compact(34);
    assertHash(34, 3995110675L, 32);
    assertHash(35, 3269966292L, 34);
    assertThat(rig.store.compactionHashes())
        .containsExactly(
            new KvHash((int) 2553195267L, -1, 32), new KvHash((int) 3995110675L, 32, 34));
  }

  @Test
  void aHashDoesNotDependOnHowFarACompactionHasGot() throws IOException {
    writeWhatEtcdWasGiven();
    rig.commit();
    rig.store.compact(32);
    rig.store.publish();
    assertHash(35, 2836693597L, 32);
    rig.commit();
    while (rig.store.compaction() != null) {
      rig.stepCompaction(1, 2);
      assertHash(35, 2836693597L, 32);
    }
    assertHash(35, 2836693597L, 32);
    rig.crashAndReopen();
    assertHash(35, 2836693597L, 32);
  }

  /// With no key left alive etcd's set of kept revisions is empty, and then it skips nothing.
  @Test
  void hashesEqualEtcdsWhenNothingIsLeftAlive() throws IOException {
    rig.put("a", "1");
    rig.put("b", "1");
    rig.delete("a");
    rig.delete("b");
    assertHash(4, 3105699308L, -1);
    assertHash(5, 1785112597L, -1);
    compact(4);
    assertHash(4, 3105699308L, -1);
    assertHash(5, 2368373210L, 4);
    compact(5);
    assertHash(5, 902023998L, 4);
    assertHash(0, 1084519789L, 5);
    rig.put("c", "1");
    assertHash(6, 4012545367L, 5);
  }

  private void compact(long rev) throws IOException {
    rig.store.compact(rev);
    rig.finishCompactions();
  }

  @Test
  void aHashCoversBucketNameKeysAndRecords() throws IOException {
    rig.put("foo2", "bar2");
    rig.delete("foo2");
    CRC32C crc = new CRC32C();
    crc.update("key".getBytes(StandardCharsets.US_ASCII));
    crc.update(HexFormat.of().parseHex("0000000000000002" + "5f" + "0000000000000000"));
    crc.update(HexFormat.of().parseHex("0a04666f6f32" + "1002" + "1802" + "2001" + "2a0462617232"));
    assertHash(2, crc.getValue(), -1);
    crc.update(HexFormat.of().parseHex("0000000000000003" + "5f" + "0000000000000000" + "74"));
    crc.update(HexFormat.of().parseHex("0a04666f6f32"));
    assertHash(3, crc.getValue(), -1);
    assertHash(0, crc.getValue(), -1);
  }

  @Test
  void negativeRevisionsHashNothing() throws IOException {
    rig.put("a", "b");
    CRC32C crc = new CRC32C();
    crc.update("key".getBytes(StandardCharsets.US_ASCII));
    assertHash(-5, crc.getValue(), -1);
  }

  @Test
  void revisionsOutsideHistoryAreRefused() throws IOException {
    writeWhatEtcdWasGiven();
    rig.store.compact(20);
    rig.store.publish();
    try (KvView view = rig.store.view()) {
      assertThatThrownBy(() -> view.hashByRevision(19)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
      assertThatThrownBy(() -> view.hashByRevision(36)).isSameAs(EtcdException.of(EtcdError.FUTURE_REV));
      assertThat(view.hashByRevision(20).compactRevision()).isEqualTo(20);
    }
  }

  @Test
  void aCompactionThatOvertakesAnotherLeavesNoHash() throws IOException {
    writeWhatEtcdWasGiven();
    rig.store.compact(10);
    rig.store.compact(20);
    rig.finishCompactions();
    assertThat(rig.store.compactionHashes()).extracting(KvHash::revision).containsExactly(10L);
  }

  @Test
  void onlyTheTenNewestCompactionHashesAreKept() throws IOException {
    writeWhatEtcdWasGiven();
    for (int rev = 2; rev <= 15; rev++) {
      compact(rev);
    }
    assertThat(rig.store.compactionHashes())
        .extracting(KvHash::revision)
        .containsExactly(6L, 7L, 8L, 9L, 10L, 11L, 12L, 13L, 14L, 15L);
  }
}
