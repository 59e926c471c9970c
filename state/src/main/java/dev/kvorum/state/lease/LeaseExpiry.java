package dev.kvorum.state.lease;

import dev.kvorum.env.Invariant;
import dev.kvorum.state.Request.LeaseCheckpoint.Remaining;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// When leases run out: known to the leader alone, lost when it stops leading, never part of what members agree on.
///
/// Every member feeds it what it applies ([#granted], [#revoked], [#checkpointed]); on a follower it only remembers.
/// [#promote] starts all clocks anew, generously, since nobody knows what the previous leader's said; [#demote] stops
/// them. In between, the owner asks every half second for [#expired] leases and proposes their revocation. A lease it
/// was told about comes again after the retry interval until it is revoked.
///
/// **Time** is an argument, from `Clock.nanos`; nothing here waits or reads a clock.
///
/// **The heap.** Keep-alives are the hot operation and expiry is rare, so a renewal only moves a lease's expiry and
/// leaves it where it is in the heap; whoever surfaces too early is put back by its true time then. A lease's place in
/// the heap is therefore never later than its expiry.
///
/// Owned by one loop, whichever the member chooses. Source: etcd `server/lease/lessor.go`; `apply-semantics.md` §6.
public final class LeaseExpiry {
  /// Leases that may be revoked per second; half of it is what one half-second scan may return.
  public static final int REVOKE_RATE = 1_000;
  /// What `expired` should be asked for at most, each half second.
  public static final int EXPIRED_PER_SCAN_MAX = REVOKE_RATE / 2;
  /// The most leases one checkpoint request should carry.
  public static final int CHECKPOINTS_PER_REQUEST_MAX = 1_000;

  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final long FOREVER = Long.MAX_VALUE;
  /// Fewer expiries than the rate allows, so that a pile does not use it up.
  private static final int TARGET_EXPIRES_PER_SECOND = 3 * REVOKE_RATE / 4;

  private final long retryNanos;
  private final long checkpointIntervalNanos;
  private final LongTable<Entry> entries = new LongTable<>();
  private final EntryHeap deadlines = new EntryHeap();
  private final EntryHeap checkpoints = new EntryHeap();
  private boolean primary;

  /// A lease, seen from here.
  private static final class Entry {
    final long id;
    final long ttlSeconds;
    long remainingTtlSeconds;
    long expiryNanos = FOREVER;
    /// Its node in [LeaseExpiry#deadlines], and in [LeaseExpiry#checkpoints]; made when first needed.
    EntryHeap.@Nullable Node deadline;
    EntryHeap.@Nullable Node checkpoint;

    Entry(long id, long ttlSeconds, long remainingTtlSeconds) {
      this.id = id;
      this.ttlSeconds = ttlSeconds;
      this.remainingTtlSeconds = remainingTtlSeconds;
    }

    /// What it is given when its clock starts.
    long spanSeconds() {
      return remainingTtlSeconds > 0 ? remainingTtlSeconds : ttlSeconds;
    }
  }

  /// @param retryNanos after which an expired lease that was not revoked is reported again (etcd: the request timeout)
  /// @param checkpointIntervalNanos how often the remaining TTL of long leases is to be checkpointed (etcd: 5 min);
  ///     0 turns checkpoints off, which is etcd's default
  public LeaseExpiry(long retryNanos, long checkpointIntervalNanos) {
    Invariant.check(retryNanos > 0, "an expired lease must be retried some time");
    this.retryNanos = retryNanos;
    this.checkpointIntervalNanos = checkpointIntervalNanos;
  }

  public int size() {
    return entries.size();
  }

  public boolean isPrimary() {
    return primary;
  }

  /// A lease exists now; at start, called for each that the db holds.
  ///
  /// @param remainingTtlSeconds of its last checkpoint; 0 when there was none
  public void granted(long id, long ttlSeconds, long remainingTtlSeconds, long nowNanos) {
    Entry entry = new Entry(id, ttlSeconds, remainingTtlSeconds);
    entries.add(id, entry);
    if (primary) {
      entry.expiryNanos = after(nowNanos, ttlSeconds, 0);
      deadlines.add(node(entry), entry.expiryNanos);
      scheduleCheckpoint(entry, nowNanos);
    }
  }

  /// A lease is gone.
  public void revoked(long id) {
    Entry entry = entries.remove(id);
    if (entry == null) {
      return;
    }
    if (entry.deadline != null) {
      deadlines.remove(entry.deadline);
    }
    if (entry.checkpoint != null) {
      checkpoints.remove(entry.checkpoint);
    }
  }

  /// A checkpoint was applied. It moves no expiry here: it is for the next leader.
  public void checkpointed(long id, long remainingTtlSeconds, long nowNanos) {
    Entry entry = entries.get(id);
    if (entry == null) {
      return;
    }
    entry.remainingTtlSeconds = remainingTtlSeconds;
    if (primary) {
      scheduleCheckpoint(entry, nowNanos);
    }
  }

  /// This member leads from now on: every lease gets its (remaining) TTL anew, and `extendNanos` more. Where thousands
  /// would end together they are spread over the seconds after, later ones further, so that no more end in a second
  /// than can be revoked in one.
  ///
  /// @param extendNanos the election timeout: how long clients may not have reached a leader
  public void promote(long nowNanos, long extendNanos) {
    demote();
    primary = true;
    Entry[] all = all();
    for (Entry entry : all) {
      entry.expiryNanos = after(nowNanos, entry.spanSeconds(), extendNanos);
    }
    if (all.length >= REVOKE_RATE) {
      spread(all, nowNanos, extendNanos);
    }
    Arrays.sort(all, Comparator.comparingLong((Entry entry) -> entry.expiryNanos).thenComparingLong(e -> e.id));
    for (Entry entry : all) {
      deadlines.add(node(entry), entry.expiryNanos);
      scheduleCheckpoint(entry, nowNanos);
    }
  }

  /// Walks the leases by expiry, in windows of a second; from the 751st of a window on, each is delayed the more the
  /// later it comes, and the window grows with it.
  private static void spread(Entry[] all, long nowNanos, long extendNanos) {
    Arrays.sort(all, Comparator.comparingLong((Entry entry) -> entry.expiryNanos).thenComparingLong(e -> e.id));
    long base = all[0].expiryNanos;
    long windowEnd = plus(base, SECOND_NANOS);
    int expires = 0;
    for (Entry entry : all) {
      long expiry = entry.expiryNanos;
      if (expiry > windowEnd) {
        base = expiry;
        windowEnd = plus(base, SECOND_NANOS);
        expires = 1;
        continue;
      }
      expires++;
      if (expires <= TARGET_EXPIRES_PER_SECOND) {
        continue;
      }
      double delay = (double) SECOND_NANOS * expires / TARGET_EXPIRES_PER_SECOND - (double) (expiry - base);
      windowEnd = plus(base, (long) delay);
      entry.expiryNanos = after(nowNanos, entry.spanSeconds(), plus(extendNanos, (long) delay));
    }
  }

  /// This member does not lead any more: nothing expires here.
  public void demote() {
    primary = false;
    deadlines.clear();
    checkpoints.clear();
    entries.forEach(entry -> {
      entry.expiryNanos = FOREVER;
      entry.deadline = null;
      entry.checkpoint = null;
    });
  }

  /// Whether [#expired] may have something to tell; a lease that was renewed counts once more when its former time is up.
  public boolean mayHaveExpired(long nowNanos) {
    return deadlines.firstUpTo(nowNanos) != null;
  }

  /// Leases past their end, oldest deadline first; empty unless primary. Each is reported again after the retry
  /// interval unless [#revoked] was called.
  public List<Long> expired(long nowNanos, int limit) {
    List<Long> expired = new ArrayList<>();
    while (expired.size() < limit) {
      EntryHeap.Node node = deadlines.firstUpTo(nowNanos);
      if (node == null) {
        break;
      }
      Entry entry = entry(node);
      if (entry.expiryNanos > nowNanos) {
        deadlines.reschedule(node, entry.expiryNanos);
      } else {
        expired.add(entry.id);
        deadlines.reschedule(node, plus(nowNanos, retryNanos));
      }
    }
    return expired;
  }

  /// Keeps a lease alive: it ends its full TTL from now.
  public Renewal renew(long id, long nowNanos) {
    if (!primary) {
      return Renewal.Refused.NOT_PRIMARY;
    }
    Entry entry = entries.get(id);
    if (entry == null) {
      return Renewal.Refused.NOT_FOUND;
    }
    if (entry.expiryNanos <= nowNanos) {
      return Renewal.Refused.EXPIRED;
    }
    if (checkpointIntervalNanos > 0 && entry.remainingTtlSeconds > 0) {
      return Renewal.Refused.CLEAR_CHECKPOINT_FIRST;
    }
    entry.expiryNanos = after(nowNanos, entry.spanSeconds(), 0);
    EntryHeap.Node node = node(entry);
    if (node.timeNanos() > entry.expiryNanos) {
      deadlines.reschedule(node, entry.expiryNanos);
    }
    return new Renewal.Renewed(entry.ttlSeconds);
  }

  /// How long until `id` runs out, negative once it has; null when it is unknown or this member does not lead.
  public @Nullable Long remainingNanos(long id, long nowNanos) {
    Entry entry = entries.get(id);
    return entry == null || !primary ? null : (Long) (entry.expiryNanos - nowNanos);
  }

  /// Every lease, the one to end first leading; where clocks stand still, by id.
  public List<Long> idsByExpiry() {
    Entry[] all = all();
    Arrays.sort(all, Comparator.comparingLong((Entry entry) -> entry.expiryNanos).thenComparingLong(e -> e.id));
    return Arrays.stream(all).map(entry -> entry.id).toList();
  }

  /// Checkpoints that are due, at most `limit`: to be proposed as one request. Empty unless primary and checkpoints are
  /// on. A lease is looked at again once its checkpoint was applied.
  public List<Remaining> dueCheckpoints(long nowNanos, int limit) {
    List<Remaining> due = new ArrayList<>();
    while (due.size() < limit) {
      EntryHeap.Node node = checkpoints.firstUpTo(nowNanos);
      if (node == null) {
        break;
      }
      checkpoints.remove(node);
      Entry entry = entry(node);
      entry.checkpoint = null;
      long left = entry.expiryNanos - nowNanos;
      long remainingSeconds = (left + SECOND_NANOS - 1) / SECOND_NANOS;
      if (left > 0 && remainingSeconds < entry.ttlSeconds) {
        due.add(new Remaining(entry.id, remainingSeconds));
      }
    }
    return due;
  }

  private void scheduleCheckpoint(Entry entry, long nowNanos) {
    if (checkpointIntervalNanos == 0 || entry.spanSeconds() <= checkpointIntervalNanos / SECOND_NANOS) {
      return;
    }
    if (entry.checkpoint == null) {
      entry.checkpoint = new EntryHeap.Node(entry);
      checkpoints.add(entry.checkpoint, plus(nowNanos, checkpointIntervalNanos));
    }
  }

  private static EntryHeap.Node node(Entry entry) {
    EntryHeap.Node node = entry.deadline;
    if (node == null) {
      node = new EntryHeap.Node(entry);
      entry.deadline = node;
    }
    return node;
  }

  private static Entry entry(EntryHeap.Node node) {
    return (Entry) node.owner;
  }

  private Entry[] all() {
    List<Entry> all = new ArrayList<>(entries.size());
    entries.forEach(all::add);
    return all.toArray(Entry[]::new);
  }

  private static long after(long nowNanos, long seconds, long extendNanos) {
    return plus(plus(nowNanos, seconds * SECOND_NANOS), extendNanos);
  }

  /// The sum, or the end of time where it would pass it: the longest TTL is 285 years.
  private static long plus(long time, long nanos) {
    long sum = time + nanos;
    return ((time ^ sum) & (nanos ^ sum)) < 0 ? FOREVER : sum;
  }
}
