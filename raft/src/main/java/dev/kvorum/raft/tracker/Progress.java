package dev.kvorum.raft.tracker;

import dev.kvorum.env.Invariant;

/// A leader's view of one member, and the flow control towards it. Owned by the node's loop.
///
/// `match` is the last index known to be on the member, `next` the first index not yet sent; `match < next` always.
/// Entries in between are on their way (replicate), or are guesses (probe), or are replaced by a snapshot.
public final class Progress {
  private final Inflights inflights;
  private ProgressState state = ProgressState.PROBE;
  private long match;
  private long next;
  private long sentCommit;
  private long pendingSnapshot;
  private boolean recentActive;
  private boolean flowPaused;
  private boolean learner;

  Progress(long match, long next, Inflights inflights, boolean learner, boolean recentActive) {
    Invariant.check(match < next, "progress must have match below next");
    this.match = match;
    this.next = next;
    this.inflights = inflights;
    this.learner = learner;
    this.recentActive = recentActive;
  }

  private Progress(Progress other) {
    this(other.match, other.next, other.inflights.copy(), other.learner, other.recentActive);
    state = other.state;
    sentCommit = other.sentCommit;
    pendingSnapshot = other.pendingSnapshot;
    flowPaused = other.flowPaused;
  }

  /// Independent of the original from here on.
  public Progress copy() {
    return new Progress(this);
  }

  public ProgressState state() {
    return state;
  }

  public long match() {
    return match;
  }

  public long next() {
    return next;
  }

  public boolean isLearner() {
    return learner;
  }

  public void setLearner(boolean isLearner) {
    learner = isLearner;
  }

  /// Whether it was heard from since the leader last counted (CheckQuorum).
  public boolean isRecentActive() {
    return recentActive;
  }

  public void setRecentActive(boolean active) {
    recentActive = active;
  }

  public Inflights inflights() {
    return inflights;
  }

  private void become(ProgressState to) {
    state = to;
    flowPaused = false;
    pendingSnapshot = 0;
    inflights.reset();
  }

  /// Starts looking for where the logs meet; after a snapshot, just behind it.
  public void becomeProbe() {
    long from = state == ProgressState.SNAPSHOT ? Math.max(match + 1, pendingSnapshot + 1) : match + 1;
    become(ProgressState.PROBE);
    rewind(from);
  }

  public void becomeReplicate() {
    become(ProgressState.REPLICATE);
    next = match + 1;
  }

  /// Waits for the snapshot at `index` to arrive.
  public void becomeSnapshot(long index) {
    become(ProgressState.SNAPSHOT);
    pendingSnapshot = index;
    next = index + 1;
    sentCommit = index;
  }

  /// Gives up on the pending snapshot: probing starts at `match` again.
  public void snapshotFailed() {
    pendingSnapshot = 0;
    becomeProbe();
  }

  /// Nothing more is sent before the member is heard from.
  public void pauseFlow() {
    flowPaused = true;
  }

  public void resumeFlow() {
    flowPaused = false;
  }

  public boolean isPaused() {
    return state == ProgressState.SNAPSHOT || flowPaused;
  }

  /// Notes an append of `count` entries (from `next` on) with `payloadBytes` of data.
  public void sentEntries(int count, long payloadBytes) {
    Invariant.check(state != ProgressState.SNAPSHOT, "sending entries while a snapshot is pending");
    if (state == ProgressState.REPLICATE) {
      if (count > 0) {
        next += count;
        inflights.add(next - 1, payloadBytes);
      }
      flowPaused = inflights.isFull();
    } else if (count > 0) {
      flowPaused = true;
    }
  }

  /// Whether telling the member of `commit` would tell it something new about entries it has been sent.
  public boolean canBumpCommit(long commit) {
    return commit > sentCommit && sentCommit < next - 1;
  }

  public void sentCommit(long commit) {
    sentCommit = commit;
  }

  /// The member acknowledged everything up to `index`. @return whether that is news
  public boolean maybeUpdate(long index) {
    if (index <= match) {
      return false;
    }
    match = index;
    next = Math.max(next, index + 1);
    flowPaused = false;
    return true;
  }

  /// The member refused an append behind `rejected` and may match at `hint`. Rejections arrive late and out of order;
  /// one that contradicts what is known is stale.
  ///
  /// @return false when stale
  public boolean maybeDecrementTo(long rejected, long hint) {
    if (state == ProgressState.REPLICATE) {
      if (rejected <= match) {
        return false;
      }
      rewind(match + 1);
      return true;
    }
    if (next - 1 != rejected) {
      return false;
    }
    rewind(Math.max(Math.min(rejected, hint + 1), match + 1));
    flowPaused = false;
    return true;
  }

  private void rewind(long to) {
    next = to;
    sentCommit = Math.min(sentCommit, next - 1);
  }

  public View view() {
    return new View(
        state, match, next, learner, isPaused(), pendingSnapshot, recentActive, inflights.count(), inflights.isFull());
  }

  @Override
  public String toString() {
    return view().toString();
  }

  /// An immutable picture of a progress.
  ///
  /// @param pendingSnapshot index of the snapshot on its way, 0 when none
  public record View(
      ProgressState state,
      long match,
      long next,
      boolean learner,
      boolean paused,
      long pendingSnapshot,
      boolean recentActive,
      int inflightCount,
      boolean inflightFull) {
    /// As etcd raft prints it.
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      text.append(state).append(" match=").append(match).append(" next=").append(next);
      if (learner) {
        text.append(" learner");
      }
      if (paused) {
        text.append(" paused");
      }
      if (pendingSnapshot > 0) {
        text.append(" pendingSnap=").append(pendingSnapshot);
      }
      if (!recentActive) {
        text.append(" inactive");
      }
      if (inflightCount > 0) {
        text.append(" inflight=").append(inflightCount);
        if (inflightFull) {
          text.append("[full]");
        }
      }
      return text.toString();
    }
  }
}
