package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The key space at one moment, for any thread: immutable, and unaffected by whatever is applied, committed, compacted
/// or defragmented after it was published.
///
/// Counted: [KvStore#view] hands it out held once for the caller, who closes it. As long as anyone holds it, bolt's
/// pages of its time are not used again; so hold it for a request or a batch of history, not for a connection's life.
///
/// Methods taking a revision read the latest at or below 0, and refuse with `COMPACTED` or `FUTURE_REV`
/// ([dev.kvorum.api.EtcdException]) what lies outside history.
public final class KvView implements AutoCloseable {
  private final KvState state;
  private final AtomicInteger holders = new AtomicInteger(1);

  KvView(KvState state) {
    this.state = state;
    state.read().retain();
  }

  /// @return false when the last holder has let go: take a newer view
  boolean tryRetain() {
    int now = holders.get();
    while (now > 0) {
      int seen = holders.compareAndExchange(now, now + 1);
      if (seen == now) {
        return true;
      }
      now = seen;
    }
    return false;
  }

  /// For a caller that holds it already and hands it to another.
  public KvView retain() {
    Invariant.check(tryRetain(), "a released view is retained");
    return this;
  }

  public void release() {
    int left = holders.decrementAndGet();
    Invariant.check(left >= 0, "a view is released too often");
    if (left == 0) {
      state.read().release();
    }
  }

  /// Same as [#release].
  @Override
  public void close() {
    release();
  }

  /// The revision of the last change it has.
  public long currentRevision() {
    return state.currentRevision();
  }

  /// History below it cannot be read; -1 when nothing was ever compacted.
  public long compactRevision() {
    return state.compactRevision();
  }

  /// The encoded key value of `key` at `revision`; null when absent then.
  public byte @Nullable [] get(Bytes key, long revision) throws CorruptionException {
    return state.get(key.array(), revision);
  }

  /// Keys of `range` present at `revision`. At the latest one it costs no more for many keys than for few.
  public long count(KeyRange range, long revision) {
    return state.count(range, revision);
  }

  public RangeResult range(KeyRange range, RangeOptions options) throws CorruptionException {
    return state.range(range, options);
  }

  /// The same, unless the records it has to read take more than `bytesMax`: then null, having read about that much.
  /// For what may be larger there is [KeyScan].
  public @Nullable RangeResult rangeWithin(KeyRange range, RangeOptions options, long bytesMax)
      throws CorruptionException {
    return state.rangeWithin(range, options, bytesMax);
  }

  KvState state() {
    return state;
  }

  /// HashKV. Reads all of history: for a worker, not for a loop.
  ///
  /// @param revision 0 for the current one
  public KvHash hashByRevision(long revision) throws CorruptionException {
    return state.hash(revision);
  }

  /// Events of the revisions `from` to `to`, both included, in order.
  ///
  /// @param to cut to the current revision
  /// @param rowsMax how many changes to look at before returning; the revision it falls into is finished
  /// @param wanted which keys; null for all
  /// @throws dev.kvorum.api.EtcdException `COMPACTED` when `from` is below the compacted revision
  public EventBatch events(long from, long to, int rowsMax, @Nullable Predicate<Bytes> wanted)
      throws CorruptionException {
    return events(from, to, rowsMax, Long.MAX_VALUE, wanted);
  }

  /// The same, returning also once it has looked at `bytesMax` bytes of records; the revision they end in is finished.
  public EventBatch events(long from, long to, int rowsMax, long bytesMax, @Nullable Predicate<Bytes> wanted)
      throws CorruptionException {
    return state.events(from, to, rowsMax, bytesMax, wanted);
  }

  /// What the key held before `event`; null when it did not exist, or when that was compacted away.
  public byte @Nullable [] previous(Event event) throws CorruptionException {
    long before = event.main() - 1;
    if (before < state.compactRevision() || event.isCreate() || before <= 0) {
      return null;
    }
    return state.get(event.key().array(), before);
  }
}
