package dev.kvorum.state.keys;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// A store and its backend, both loops played by the test, step by step.
final class StoreRig implements AutoCloseable {
  static final BoltOptions UNSYNCED = BoltOptions.defaults().withNoSync(true).withInitialMapBytes(1 << 20);

  private final Path file;
  private final LeaseBinding leases;
  private final ArrayDeque<WriteBatch> taken = new ArrayDeque<>();
  private final ArrayDeque<BackendCommit> written = new ArrayDeque<>();
  Backend backend;
  KvStore store;

  StoreRig(Path file) throws IOException {
    this(file, LeaseBinding.NONE);
  }

  StoreRig(Path file, LeaseBinding leases) throws IOException {
    this.file = file;
    this.leases = leases;
    this.backend = Backend.open(new RealDisk(), file, UNSYNCED);
    this.store = KvStore.open(backend, leases);
  }

  long put(String key, String value) {
    return put(key, value, 0);
  }

  long put(String key, String value, long lease) {
    KvTxn txn = store.begin();
    txn.put(Bytes.utf8(key), Bytes.utf8(value), lease);
    return ended(txn);
  }

  long delete(String key) {
    KvTxn txn = store.begin();
    txn.deleteRange(KeyRange.single(Bytes.utf8(key)));
    return ended(txn);
  }

  private long ended(KvTxn txn) {
    long revision = txn.end().revision();
    store.publish();
    return revision;
  }

  /// What is gathered goes to the backend loop's inbox.
  void take() {
    taken.add(backend.take());
  }

  /// The backend loop writes the oldest batch it was given. @return false when there is none
  boolean write() throws IOException {
    WriteBatch oldest = taken.poll();
    if (oldest == null) {
      return false;
    }
    written.add(backend.write(oldest));
    return true;
  }

  /// The apply loop hears of the oldest commit. @return false when there is none
  boolean install() {
    BackendCommit oldest = written.poll();
    if (oldest == null) {
      return false;
    }
    store.committed(oldest);
    return true;
  }

  void commit() throws IOException {
    take();
    while (write()) {
      // all of them
    }
    while (install()) {
      // all of them
    }
  }

  /// @return null when nothing could be done, else the compaction stepped
  @Nullable Compaction stepCompaction(int leaves, int rows) throws IOException {
    Compaction compaction = store.compaction();
    if (compaction == null || !store.compactIndexStep(leaves) || !compaction.isReady()) {
      return null;
    }
    while (install()) {
      // commits are installed in the order they were made
    }
    BackendCommit commit = compaction.backendStep(rows);
    if (commit == null) {
      return null;
    }
    store.compacted(compaction, commit);
    return compaction;
  }

  void finishCompactions() throws IOException {
    commit();
    while (store.compaction() != null) {
      stepCompaction(1, 7);
    }
  }

  /// The machine dies: what the backend loop has not committed is gone. No view may be held: its pages are
  /// about to be used again.
  void crashAndReopen() throws IOException {
    close();
    backend = Backend.open(new RealDisk(), file, UNSYNCED);
    store = KvStore.open(backend, leases);
  }

  @Override
  public void close() throws IOException {
    taken.clear();
    written.forEach(BackendCommit::discard);
    written.clear();
    store.close();
    backend.close();
  }
}
