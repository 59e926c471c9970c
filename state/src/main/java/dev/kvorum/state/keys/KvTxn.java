package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One write transaction on the keys: everything it changes bears one main revision, with subs in order.
///
/// It cannot be undone: check first (lease exists, key exists, revisions readable), then change. Reads see its own
/// changes. A nested txn simply uses the same object. On the apply loop, one at a time, from [KvStore#begin] to [#end].
///
/// Source: apply-semantics §3.
public final class KvTxn {
  private final KvStore store;
  private final long beginRevision;
  private final List<Event> events = new ArrayList<>(2);
  private boolean ended;
  private @Nullable KvState state;

  KvTxn(KvStore store, long beginRevision) {
    this.store = store;
    this.beginRevision = beginRevision;
  }

  /// The store's revision when it began.
  public long beginRevision() {
    return beginRevision;
  }

  /// What reads and responses within it name: the begin revision, and one more once it has changed anything.
  public long revision() {
    return events.isEmpty() ? beginRevision : beginRevision + 1;
  }

  /// The encoded key value of `key` as this transaction sees it; null when absent.
  public byte @Nullable [] get(Bytes key) throws CorruptionException {
    KvState now = state();
    KeyEntry entry = now.index().find(key.array());
    return entry == null || !entry.isLive() ? null : now.record(entry.main(), entry.sub());
  }

  /// Whether `key` is present as this transaction sees it.
  public boolean has(Bytes key) {
    KeyEntry entry = state().index().find(key.array());
    return entry != null && entry.isLive();
  }

  /// @throws dev.kvorum.api.EtcdException `COMPACTED` or `FUTURE_REV`
  public RangeResult range(KeyRange range, RangeOptions options) throws CorruptionException {
    return state().range(range, options);
  }

  /// Throws what [#range] at `revision` would, without reading: 0 is the latest, and anything else must lie within
  /// history (api.md §3.5, "pre-check").
  public void checkRevision(long revision) {
    if (revision != 0) {
      state().check(revision);
    }
  }

  /// What it sees now; kept from one read to the next as long as nothing changes.
  private KvState state() {
    KvState now = state;
    if (now == null) {
      now = store.state(revision());
      state = now;
    }
    return now;
  }

  /// Sets `key` to `value`, hanging on `lease`, which exists, or on none (0).
  public void put(Bytes key, Bytes value, long lease) {
    Invariant.check(!ended, "a transaction is used after its end");
    state = null;
    long main = beginRevision + 1;
    int sub = events.size();
    KeyEntry before = store.index().put(key.array(), main, sub);
    boolean existed = before != null && before.isLive();
    long created = before != null && existed ? before.created() : main;
    long version = before != null && existed ? before.version() + 1 : 1;
    byte[] record = StoredKv.encode(key.array(), created, main, version, value.array(), lease);
    store.batch().putKey(main, sub, false, record);
    events.add(new Event(Event.Type.PUT, key, record, main, sub, !existed));
    bind(key, existed, lease);
  }

  private void bind(Bytes key, boolean existed, long lease) {
    LeaseBinding leases = store.leases();
    long old = existed ? leases.leaseOf(key) : 0;
    if (old == lease) {
      return;
    }
    if (old != 0) {
      leases.detach(old, key);
    }
    if (lease != 0) {
      leases.attach(lease, key);
    }
  }

  /// Deletes the keys of `range` in key order. @return how many there were
  public long deleteRange(KeyRange range) {
    Invariant.check(!ended, "a transaction is used after its end");
    IndexView.Walk walk = state().index().walk(range);
    List<byte[]> keys = new ArrayList<>();
    while (walk.nextLive(IndexView.LATEST)) {
      keys.add(walk.key());
    }
    for (byte[] key : keys) {
      delete(Bytes.wrap(key));
    }
    return keys.size();
  }

  private void delete(Bytes key) {
    state = null;
    long main = beginRevision + 1;
    int sub = events.size();
    store.index().tombstone(key.array(), main, sub);
    store.batch().putKey(main, sub, true, StoredKv.encodeTombstone(key.array()));
    events.add(new Event(Event.Type.DELETE, key, StoredKv.encodeDeleted(key.array(), main), main, sub, false));
    long lease = store.leases().leaseOf(key);
    if (lease != 0) {
      store.leases().detach(lease, key);
    }
  }

  /// Ends it. Readers see nothing of it before the next [KvStore#publish].
  public TxnResult end() {
    Invariant.check(!ended, "a transaction is ended twice");
    ended = true;
    store.ended(revision());
    return new TxnResult(revision(), events);
  }
}
