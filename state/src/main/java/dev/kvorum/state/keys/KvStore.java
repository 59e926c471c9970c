package dev.kvorum.state.keys;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.MetaKey;
import dev.kvorum.state.backend.RevisionKey;
import dev.kvorum.state.backend.WriteBatch;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// The keys, with all their revisions since the last compaction: etcd's MVCC store.
///
/// Owned by the apply loop, which changes it in transactions ([#begin]), and shows the outcome to readers by
/// [#publish], once per batch of entries. Any thread reads through [#view].
///
/// A revision is one past the last; the store of an empty file is at 1. Where the bytes lie: [Backend].
///
/// ```java
/// KvTxn txn = store.begin();
/// txn.put(key, value, 0);
/// TxnResult result = txn.end();
/// store.publish();
/// try (KvView view = store.view()) { view.get(key, 0); }
/// ```
public final class KvStore implements AutoCloseable {
  private static final long FIRST_REVISION = 1;
  private static final int HASHES_MAX = 10;

  private final Backend backend;
  private final LeaseBinding leases;
  private final KeyIndex index;
  private List<KeyLease> restoredLeases;
  private final ArrayDeque<Compaction> compactions = new ArrayDeque<>();
  private List<KvHash> hashes = List.of();
  private long currentRevision;
  private long compactRevision;
  private @Nullable KvTxn open;
  private volatile @Nullable KvView view;

  private KvStore(Backend backend, LeaseBinding leases, Restore restored) {
    this.backend = backend;
    this.leases = leases;
    this.index = restored.index();
    this.restoredLeases = restored.leases();
    long scheduled = restored.scheduledCompactRevision();
    this.compactRevision = restored.finishedCompactRevision();
    this.currentRevision =
        Math.max(Math.max(FIRST_REVISION, restored.lastRevision()), Math.max(compactRevision, scheduled));
    if (scheduled > compactRevision) {
      compactions.add(new Compaction(backend, compactRevision, scheduled, false, null));
      compactRevision = scheduled;
    }
    publish();
  }

  /// Rebuilds the index from what `backend` has committed, and takes up a compaction that was interrupted.
  ///
  /// @param helpers who may take part in reading the file; it is fine if nobody does
  public static KvStore open(Backend backend, LeaseBinding leases, Executor helpers) throws IOException {
    return new KvStore(backend, leases, Restore.from(backend, helpers));
  }

  /// The same, reading alone.
  public static KvStore open(Backend backend, LeaseBinding leases) throws IOException {
    return open(backend, leases, nobody -> {});
  }

  // ---- Any thread ----

  /// What was published last, held for the caller, who closes it.
  ///
  /// @throws IllegalStateException when the store is closed
  public KvView view() {
    while (true) {
      KvView current = view;
      if (current == null) {
        throw new IllegalStateException("the key store is closed");
      }
      if (current.tryRetain()) {
        return current;
      }
    }
  }

  // ---- Apply loop ----

  /// Begins a write transaction; the one before has ended.
  public KvTxn begin() {
    Invariant.check(open == null, "a transaction begins inside another");
    KvTxn txn = new KvTxn(this, currentRevision);
    open = txn;
    return txn;
  }

  void ended(long revision) {
    open = null;
    currentRevision = revision;
  }

  /// Shows readers what has been applied, committed and compacted.
  public void publish() {
    Invariant.check(open == null, "published inside a transaction");
    KvView old = view;
    view = new KvView(state(currentRevision, index.view()));
    if (old != null) {
      old.release();
    }
  }

  /// As the apply loop sees it in the middle of things; valid until the next change.
  KvState state(long revision) {
    return state(revision, index.peek());
  }

  private KvState state(long revision, IndexView keys) {
    return new KvState(keys, backend.pending(), backend.read(), revision, compactRevision, hashes);
  }

  KeyIndex index() {
    return index;
  }

  WriteBatch batch() {
    return backend.batch();
  }

  LeaseBinding leases() {
    return leases;
  }

  public long currentRevision() {
    return currentRevision;
  }

  /// -1 when nothing was ever compacted.
  public long compactRevision() {
    return compactRevision;
  }

  /// Keys in the index, deleted but not yet compacted ones included.
  public int keyCount() {
    return index.keyCount();
  }

  /// Which keys hang on which leases, by key, as found when the store was opened. Only the first call hears it.
  public List<KeyLease> takeRestoredLeases() {
    List<KeyLease> taken = restoredLeases;
    restoredLeases = List.of();
    return taken;
  }

  /// Installs a commit of the backend loop ([Backend#committed]) and publishes.
  public void committed(BackendCommit commit) {
    backend.committed(commit);
    for (Compaction compaction : compactions) {
      compaction.durable(commit.batch());
    }
    publish();
  }

  /// Accepts a compaction at `revision`: history below it is gone at once; the work follows ([#compaction]). The
  /// caller hands the batch over to the backend loop as soon as the entry is applied, so that a member that has refused
  /// to read a revision never serves it again after a crash.
  ///
  /// @throws EtcdException `COMPACTED` or `FUTURE_REV`
  public Compaction compact(long revision) {
    if (revision <= compactRevision) {
      throw EtcdException.of(EtcdError.COMPACTED);
    }
    if (revision > currentRevision) {
      throw EtcdException.of(EtcdError.FUTURE_REV);
    }
    WriteBatch batch = backend.batch();
    batch.put(BucketName.META, MetaKey.SCHEDULED_COMPACT_REV, Bytes.wrap(RevisionKey.encode(revision, 0)));
    Compaction compaction = new Compaction(backend, compactRevision, revision, compactions.isEmpty(), batch);
    compactRevision = revision;
    compactions.add(compaction);
    return compaction;
  }

  /// The compaction being carried out; null when there is none. They are carried out one after another.
  public @Nullable Compaction compaction() {
    return compactions.peek();
  }

  /// Compacts some of the index for [#compaction].
  ///
  /// @param leavesMax leaves to look at, of up to 64 keys each
  /// @return whether the index part is done
  public boolean compactIndexStep(int leavesMax) {
    Compaction compaction = compactions.peek();
    if (compaction == null || compaction.isIndexDone()) {
      return true;
    }
    compaction.indexStep(index, leavesMax);
    return compaction.isIndexDone();
  }

  /// Installs the outcome of a [Compaction#backendStep] and publishes. When it was the last, [Compaction#isFinished].
  public void compacted(Compaction compaction, BackendCommit commit) {
    Invariant.check(compaction == compactions.peek(), "compactions are carried out out of order");
    backend.committed(commit);
    KvHash hash = compaction.stepped(index);
    if (compaction.isFinished()) {
      compactions.remove();
    }
    if (hash != null) {
      remember(hash);
    }
    publish();
  }

  private void remember(KvHash hash) {
    List<KvHash> known = new ArrayList<>(hashes);
    known.add(hash);
    known.sort(Comparator.comparingLong(KvHash::revision));
    int excess = Math.max(0, known.size() - HASHES_MAX);
    hashes = List.copyOf(known.subList(excess, known.size()));
  }

  /// The hashes of the newest compactions carried out since the store was opened, at most ten, by revision.
  public List<KvHash> compactionHashes() {
    return hashes;
  }

  /// Stops handing out views. Those held stay readable.
  @Override
  public void close() {
    KvView last = view;
    view = null;
    if (last != null) {
      last.release();
    }
  }

  /// Walks everything in memory. For tests and the simulator.
  public void checkInvariants() {
    index.checkInvariants();
    Invariant.check(compactRevision <= currentRevision, "compacted beyond the current revision");
  }
}
