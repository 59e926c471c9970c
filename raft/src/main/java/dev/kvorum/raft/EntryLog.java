package dev.kvorum.raft;

import dev.kvorum.env.Invariant;
import java.util.List;

/// The whole log as raft sees it: storage, with the unstable end laid over it, and how far it is committed and applied.
///
/// `applied ≤ applying ≤ committed ≤ lastIndex`. What lies between applied and applying was handed out for application
/// and not reported yet; its size is bounded, so that a slow application is not buried.
final class EntryLog {
  /// Stands for the term of an index that is compacted away or not there.
  static final long NO_TERM = -1;

  private final LogStorage storage;
  private final RaftLog log;
  private final Unstable unstable;
  private final long applyingBytesMax;
  private long committed;
  private long applying;
  private long applied;
  private long applyingBytes;
  private boolean applyingPaused;

  EntryLog(LogStorage storage, RaftLog log, long applyingBytesMax) {
    this.storage = storage;
    this.log = log;
    this.applyingBytesMax = applyingBytesMax;
    unstable = new Unstable(storage.lastIndex() + 1, log);
    committed = storage.firstIndex() - 1;
    applying = committed;
    applied = committed;
  }

  Unstable unstable() {
    return unstable;
  }

  long committed() {
    return committed;
  }

  long applied() {
    return applied;
  }

  long firstIndex() {
    Snapshot snapshot = unstable.snapshot();
    return snapshot == null ? storage.firstIndex() : snapshot.index() + 1;
  }

  long lastIndex() {
    if (unstable.hasEntries()) {
      return unstable.offset() + unstable.count() - 1;
    }
    Snapshot snapshot = unstable.snapshot();
    return snapshot == null ? storage.lastIndex() : snapshot.index();
  }

  /// The term at `index`, [#NO_TERM] when it is compacted away or not there. The index just before the first is known.
  long term(long index) {
    long term = unstable.term(index);
    if (term != NO_TERM) {
      return term;
    }
    return index + 1 < firstIndex() || index > lastIndex() ? NO_TERM : storage.term(index);
  }

  long termOrZero(long index) {
    return Math.max(term(index), 0);
  }

  long lastTerm() {
    long term = term(lastIndex());
    Invariant.check(term != NO_TERM, "the last entry has no term");
    return term;
  }

  boolean matches(long index, long term) {
    return term(index) == term;
  }

  /// Whether a log ending in (`lastTerm`, `lastIndex`) holds at least what ours holds (Raft paper §5.4.1).
  boolean isUpToDate(long otherLastTerm, long otherLastIndex) {
    long ours = lastTerm();
    return otherLastTerm > ours || (otherLastTerm == ours && otherLastIndex >= lastIndex());
  }

  /// The largest index up to `index` whose term is at most `term`: where logs may still meet. If that lies in what is
  /// compacted away or not there, the place where knowledge ends.
  long findConflictByTerm(long index, long term) {
    long at = index;
    while (at > 0) {
      long ours = term(at);
      if (ours == NO_TERM || ours <= term) {
        return at;
      }
      at--;
    }
    return 0;
  }

  /// Adds a follower's share of the log, if it fits: the entry before it must match (Raft paper §5.3). What conflicts
  /// with it is replaced; what merely follows it stays.
  ///
  /// @return false when it does not fit
  boolean maybeAppend(long prevIndex, long prevTerm, List<Entry> entries, long leaderCommit) {
    if (!matches(prevIndex, prevTerm)) {
      return false;
    }
    int known = countKnown(entries);
    if (known < entries.size()) {
      long conflict = entries.get(known).index();
      Invariant.check(
          conflict > committed,
          () -> "entry " + conflict + " conflict with committed entry [committed(" + committed + ")]");
      append(known == 0 ? entries : Entries.frozen(entries.subList(known, entries.size())));
    }
    commitTo(Math.min(leaderCommit, prevIndex + entries.size()));
    return true;
  }

  private int countKnown(List<Entry> entries) {
    int n = entries.size();
    long last = lastIndex();
    for (int i = 0; i < n; i++) {
      Entry entry = entries.get(i);
      if (entry.index() > last) {
        return i;
      }
      if (!matches(entry.index(), entry.term())) {
        log.log(
            RaftLog.Level.INFO,
            () ->
                "found conflict at index " + entry.index() + " [existing term: " + termOrZero(entry.index())
                    + ", conflicting term: " + entry.term() + "]");
        return i;
      }
    }
    return n;
  }

  void append(List<Entry> entries) {
    long after = entries.get(0).index() - 1;
    Invariant.check(after >= committed, () -> "after(" + after + ") is out of range [committed(" + committed + ")]");
    unstable.truncateAndAppend(entries);
  }

  /// Entries from `low` on, as many as fit `bytesMax`, at least one if there is one.
  ///
  /// @throws LogStorage.GapException when `low` is compacted away
  List<Entry> entriesFrom(long low, long bytesMax) {
    long last = lastIndex();
    return low > last ? Entries.NONE : slice(low, last + 1, bytesMax);
  }

  private List<Entry> slice(long low, long high, long bytesMax) {
    long offset = unstable.offset();
    if (low >= offset) {
      return unstable.slice(low, high, bytesMax);
    }
    if (low < firstIndex()) {
      throw new LogStorage.GapException(LogStorage.Gap.COMPACTED);
    }
    long cut = Math.min(high, offset);
    List<Entry> stable = storage.entries(low, cut, bytesMax);
    if (high <= offset || stable.size() < cut - low) {
      return stable;
    }
    long stableBytes = EntrySize.encoded(stable);
    if (stableBytes >= bytesMax) {
      return stable;
    }
    List<Entry> rest = unstable.slice(offset, high, bytesMax - stableBytes);
    if (rest.size() == 1 && stableBytes + EntrySize.encoded(rest) > bytesMax) {
      return stable;
    }
    return Entries.concat(stable, rest);
  }

  /// Whether a conf change is committed and not applied yet (Raft thesis §4.1: one at a time). Read in pages.
  boolean hasUnappliedConfChange() {
    long low = applied + 1;
    Snapshot snapshot = unstable.snapshot();
    if (snapshot != null) {
      low = Math.max(low, snapshot.index() + 1);
    }
    while (low <= committed) {
      List<Entry> page = slice(low, committed + 1, applyingBytesMax);
      for (int i = 0, n = page.size(); i < n; i++) {
        if (page.get(i).type() != EntryType.NORMAL) {
          return true;
        }
      }
      low += page.size();
    }
    return false;
  }

  void commitTo(long index) {
    if (index > committed) {
      Invariant.check(
          index <= lastIndex(),
          () ->
              "tocommit(" + index + ") is out of range [lastIndex(" + lastIndex()
                  + ")]. Was the raft log corrupted, truncated, or lost?");
      committed = index;
    }
  }

  /// Commits up to `index` if its entry is of `term`: entries of earlier terms commit only with one of the current term
  /// on top (Raft paper §5.4.2).
  boolean maybeCommit(long index, long term) {
    if (index > committed && index <= lastIndex() && term(index) == term) {
      committed = index;
      return true;
    }
    return false;
  }

  /// The last index that may be applied. Unstable entries may, when this node's next Ready saves them beside.
  private long appliableIndex(boolean allowUnstable) {
    return allowUnstable ? committed : Math.min(committed, unstable.offset() - 1);
  }

  boolean hasNextCommitted(boolean allowUnstable) {
    return !applyingPaused && !unstable.hasSnapshot() && appliableIndex(allowUnstable) > applying;
  }

  /// Committed entries not handed out yet, within the room left for applying.
  List<Entry> nextCommitted(boolean allowUnstable) {
    if (!hasNextCommitted(allowUnstable)) {
      return Entries.NONE;
    }
    long room = applyingBytesMax - applyingBytes;
    Invariant.check(room > 0, "applying is not paused, and has no room");
    return slice(applying + 1, appliableIndex(allowUnstable) + 1, room);
  }

  /// Entries up to `index`, of `bytes` in all, were handed out.
  void acceptApplying(long index, long bytes, boolean allowUnstable) {
    Invariant.check(index <= committed, "applying what is not committed");
    applying = index;
    applyingBytes += bytes;
    // Having stopped short of what may be applied means that the room is used up, as far as entries go.
    applyingPaused = applyingBytes >= applyingBytesMax || index < appliableIndex(allowUnstable);
  }

  /// Entries up to `index` were applied, of which `bytes` had been handed out.
  void appliedTo(long index, long bytes) {
    Invariant.check(
        index <= committed && index >= applied,
        () -> "applied(" + index + ") is out of range [prevApplied(" + applied + "), committed(" + committed + ")]");
    applied = index;
    applying = Math.max(applying, applied);
    applyingBytes = Math.max(0, applyingBytes - bytes);
    applyingPaused = applyingBytes >= applyingBytesMax;
  }

  Snapshot snapshot() {
    Snapshot pending = unstable.snapshot();
    return pending == null ? storage.snapshot() : pending;
  }

  void restore(Snapshot snapshot) {
    log.log(
        RaftLog.Level.INFO,
        () -> "log [" + this + "] starts to restore snapshot " + Texts.position(snapshot.index(), snapshot.term()));
    committed = snapshot.index();
    unstable.restore(snapshot);
  }

  @Override
  public String toString() {
    return "committed=" + committed
        + ", applied=" + applied
        + ", applying=" + applying
        + ", unstable.offset=" + unstable.offset()
        + ", unstable.offsetInProgress=" + unstable.offsetInProgress()
        + ", len(unstable.Entries)=" + unstable.count();
  }
}
