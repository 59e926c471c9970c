package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.Defragmentation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jspecify.annotations.Nullable;

/// Readers on real threads while one writer applies, commits, compacts and defragments.
///
/// Every transaction moves units between keys and keeps their sum: a view that mixes two moments shows another sum.
class ConcurrentReadersTest {
  private static final int KEYS = 200;
  private static final int UNITS = 1000;
  private static final int TRANSACTIONS = 6000;
  private static final long JOIN_MILLIS = 60_000;

  @TempDir Path directory;

  private final AtomicBoolean stopped = new AtomicBoolean();
  private final AtomicLong reads = new AtomicLong();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  @Test
  void everyViewIsOneMoment() throws Exception {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    try (StoreRig rig = new StoreRig(directory.resolve("db"))) {
      KvTxn txn = rig.store.begin();
      for (int i = 0; i < KEYS; i++) {
        txn.put(key(i), units(UNITS), 0);
      }
      txn.end();
      rig.store.publish();
      List<Thread> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(Thread.ofPlatform().start(() -> read(rig)));
      }
      write(rig, new Random(seed));
      stopped.set(true);
      for (Thread reader : readers) {
        reader.join(JOIN_MILLIS);
        assertThat(reader.isAlive()).isFalse();
      }
    }
    if (failure.get() != null) {
      throw new AssertionError("rerun with -Dkvorum.seed=" + seed, failure.get());
    }
    assertThat(reads.get()).isPositive();
  }

  private static Bytes key(int i) {
    return Bytes.utf8("account/" + i);
  }

  private static Bytes units(int n) {
    return Bytes.utf8(Integer.toString(n));
  }

  private static int units(byte[] kv) {
    return Integer.parseInt(StoredKv.decode(kv).value().toUtf8());
  }

  private void write(StoreRig rig, Random random) throws IOException {
    Defragmentation defragmentation = null;
    for (int i = 0; i < TRANSACTIONS && failure.get() == null; i++) {
      move(rig.store, key(random.nextInt(KEYS)), key(random.nextInt(KEYS)), random.nextInt(50));
      if (i % 37 == 0) {
        rig.commit();
      }
      if (i % 500 == 250 && rig.store.compaction() == null) {
        rig.store.compact(rig.store.currentRevision() - random.nextInt(100));
      }
      if (i % 10 == 0) {
        rig.stepCompaction(1, 50);
      }
      if (i % 1500 == 0) {
        defragmentation = rig.backend.beginDefragmentation();
      }
      if (defragmentation != null) {
        BackendCommit commit = defragmentation.step(200, 1 << 20);
        if (commit != null) {
          rig.store.committed(commit);
          defragmentation = null;
        }
      }
    }
  }

  private static void move(KvStore store, Bytes from, Bytes to, int amount) throws IOException {
    if (!from.equals(to)) {
      KvTxn txn = store.begin();
      int left = units(txn.get(from));
      int right = units(txn.get(to));
      txn.put(from, units(left - amount), 0);
      txn.put(to, units(right + amount), 0);
      txn.end();
      store.publish();
    }
  }

  private void read(StoreRig rig) {
    try {
      long newest = 0;
      while (!stopped.get() && failure.get() == null) {
        try (KvView view = rig.store.view()) {
          assertThat(view.currentRevision()).isGreaterThanOrEqualTo(newest);
          newest = view.currentRevision();
          checkSum(view, 0);
          checkSum(view, newest < 50 ? 0 : Math.max(view.compactRevision(), newest - 40));
          assertThat(view.events(newest, newest, 10, null).events()).isNotEmpty();
          reads.incrementAndGet();
        }
      }
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
    }
  }

  private static void checkSum(KvView view, long revision) throws IOException {
    RangeResult result = view.range(KeyRange.all(), RangeOptions.LATEST.at(revision));
    int sum = 0;
    for (byte[] kv : result.kvs()) {
      sum += units(kv);
    }
    assertThat(result.count()).isEqualTo(KEYS);
    assertThat(sum).isEqualTo(KEYS * UNITS);
  }
}
