package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Write transactions (apply-semantics §3).
class KvTxnTest {
  @TempDir Path directory;

  private StoreRig rig;
  private final TreeMap<Bytes, Long> leaseOf = new TreeMap<>();
  private final List<String> calls = new ArrayList<>();

  private final LeaseBinding leases =
      new LeaseBinding() {
        @Override
        public long leaseOf(Bytes key) {
          return leaseOf.getOrDefault(key, 0L);
        }

        @Override
        public void attach(long lease, Bytes key) {
          calls.add("attach " + lease + " " + key.toUtf8());
          leaseOf.put(key, lease);
        }

        @Override
        public void detach(long lease, Bytes key) {
          calls.add("detach " + lease + " " + key.toUtf8());
          leaseOf.remove(key);
        }
      };

  @BeforeEach
  void open() throws IOException {
    rig = new StoreRig(directory.resolve("db"), leases);
  }

  private static Bytes utf8(String text) {
    return Bytes.utf8(text);
  }

  @Test
  void allChangesOfATransactionShareAMainAndCountSubs() throws IOException {
    rig.put("k1", "v");
    KvTxn txn = rig.store.begin();
    txn.put(utf8("foo2"), utf8("x1"), 0);
    txn.put(utf8("foo3"), utf8("x2"), 0);
    assertThat(txn.deleteRange(KeyRange.single(utf8("k1")))).isEqualTo(1);
    TxnResult result = txn.end();
    assertThat(result.revision()).isEqualTo(3);
    assertThat(result.events())
        .extracting(e -> e.type() + " " + e.key().toUtf8() + " " + e.main() + "." + e.sub() + " " + e.isCreate())
        .containsExactly("PUT foo2 3.0 true", "PUT foo3 3.1 true", "DELETE k1 3.2 false");
  }

  @Test
  void aTransactionThatChangesNothingDoesNotMoveTheRevision() throws IOException {
    rig.put("a", "1");
    KvTxn txn = rig.store.begin();
    assertThat(txn.deleteRange(KeyRange.single(utf8("absent")))).isZero();
    assertThat(txn.deleteRange(KeyRange.range(utf8("z"), utf8("b")))).isZero();
    assertThat(txn.range(KeyRange.all(), RangeOptions.LATEST).revision()).isEqualTo(2);
    assertThat(txn.end().revision()).isEqualTo(2);
    assertThat(rig.store.currentRevision()).isEqualTo(2);
  }

  @Test
  void laterOperationsSeeEarlierOnes() throws IOException {
    rig.put("a", "1");
    rig.commit();
    KvTxn txn = rig.store.begin();
    assertThat(txn.revision()).isEqualTo(2);
    txn.put(utf8("b"), utf8("2"), 0);
    assertThat(txn.revision()).isEqualTo(3);
    assertThat(txn.beginRevision()).isEqualTo(2);
    RangeResult seen = txn.range(KeyRange.all(), RangeOptions.LATEST);
    assertThat(seen.count()).isEqualTo(2);
    assertThat(seen.revision()).isEqualTo(3);
    assertThat(txn.range(KeyRange.all(), RangeOptions.LATEST.at(2)).count()).isEqualTo(1);
    assertThat(StoredKv.decode(txn.get(utf8("b"))).value()).isEqualTo(utf8("2"));
    assertThat(txn.deleteRange(KeyRange.all())).isEqualTo(2);
    assertThat(txn.has(utf8("b"))).isFalse();
    assertThat(txn.get(utf8("a"))).isNull();
    txn.end();
  }

  @Test
  void readersSeeNothingOfATransactionBeforeItIsPublished() throws IOException {
    rig.put("a", "1");
    KvTxn txn = rig.store.begin();
    txn.put(utf8("a"), utf8("2"), 0);
    txn.end();
    try (KvView view = rig.store.view()) {
      assertThat(view.currentRevision()).isEqualTo(2);
      assertThat(StoredKv.decode(view.get(utf8("a"), 0)).value()).isEqualTo(utf8("1"));
    }
    rig.store.publish();
    try (KvView view = rig.store.view()) {
      assertThat(StoredKv.decode(view.get(utf8("a"), 0)).value()).isEqualTo(utf8("2"));
    }
  }

  @Test
  void onlyZeroIsTheLatestInATransactionsPreCheck() throws IOException {
    rig.put("a", "1");
    rig.put("a", "2");
    rig.store.compact(3);
    KvTxn txn = rig.store.begin();
    txn.checkRevision(0);
    txn.checkRevision(3);
    assertThatThrownBy(() -> txn.checkRevision(2)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThatThrownBy(() -> txn.checkRevision(-1)).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThatThrownBy(() -> txn.checkRevision(4)).isSameAs(EtcdException.of(EtcdError.FUTURE_REV));
    txn.end();
  }

  @Test
  void keysMoveBetweenLeases() throws IOException {
    rig.put("a", "1", 5);
    rig.put("a", "2", 5);
    rig.put("a", "3", 6);
    rig.put("a", "4");
    rig.put("a", "5", 7);
    rig.delete("a");
    rig.put("a", "6", 0);
    assertThat(calls)
        .containsExactly("attach 5 a", "detach 5 a", "attach 6 a", "detach 6 a", "attach 7 a", "detach 7 a");
  }

  @Test
  void leasesAreFoundAgainAtOpen() throws IOException {
    rig.put("b", "1", 5);
    rig.put("a", "1", 6);
    rig.put("c", "1", 5);
    rig.put("c", "2");
    rig.put("d", "1", 5);
    rig.delete("d");
    rig.commit();
    rig.crashAndReopen();
    assertThat(rig.store.takeRestoredLeases())
        .containsExactly(new KeyLease(utf8("a"), 6), new KeyLease(utf8("b"), 5));
    assertThat(rig.store.takeRestoredLeases()).isEmpty();
  }

  @Test
  void whatWasNotCommittedIsGoneAfterACrashWithItsIndex() throws IOException {
    rig.backend.batch().applied(7, 2);
    rig.put("a", "1");
    rig.commit();
    rig.backend.batch().applied(8, 2);
    rig.put("b", "1");
    rig.take();
    rig.crashAndReopen();
    assertThat(rig.backend.committedIndex()).isEqualTo(7);
    assertThat(rig.store.currentRevision()).isEqualTo(2);
    assertThat(rig.backend.batch().consistentIndex()).isEqualTo(7);
    assertThat(rig.backend.batch().term()).isEqualTo(2);
  }

  @Test
  void transactionsDoNotNestAndEndOnce() {
    KvTxn txn = rig.store.begin();
    assertThatThrownBy(() -> rig.store.begin()).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(() -> rig.store.publish()).isInstanceOf(InvariantViolation.class);
    txn.end();
    assertThatThrownBy(txn::end).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(() -> txn.put(utf8("a"), utf8("b"), 0)).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void aClosedStoreHandsOutNoViewsButKeepsThoseHeld() throws IOException {
    rig.put("a", "1");
    KvView held = rig.store.view();
    rig.close();
    assertThatThrownBy(() -> rig.store.view()).isInstanceOf(IllegalStateException.class);
    assertThat(held.get(utf8("a"), 0)).isNotNull();
    held.release();
    assertThatThrownBy(held::release).isInstanceOf(InvariantViolation.class);
  }
}
