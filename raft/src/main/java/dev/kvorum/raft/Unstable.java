package dev.kvorum.raft;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The end of the log that storage does not have for certain yet: entries from `offset` on, and perhaps a received
/// snapshot before them. Part of it may have been handed out for writing ("in progress").
///
/// It shadows storage: where both have an index, this is right, since a conflicting suffix is replaced here first.
final class Unstable {
  private static final int SMALLEST = 32;

  private final RaftLog log;
  private @Nullable Snapshot snapshot;
  private boolean snapshotInProgress;
  private Entry[] array = new Entry[SMALLEST];
  private int start;
  private int count;

  /// What was appended last, as it came: a leader hands the same run to storage and to each follower.
  private List<Entry> latest = Entries.NONE;

  private long offset;
  private long offsetInProgress;

  Unstable(long offset, RaftLog log) {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.log = log;
  }

  /// The index of the first entry, or where it would be.
  long offset() {
    return offset;
  }

  long offsetInProgress() {
    return offsetInProgress;
  }

  int count() {
    return count;
  }

  boolean hasEntries() {
    return count > 0;
  }

  boolean hasNextEntries() {
    return offset + count > offsetInProgress;
  }

  /// Entries not yet handed out.
  List<Entry> nextEntries() {
    return hasNextEntries() ? slice(offsetInProgress, offset + count) : Entries.NONE;
  }

  boolean hasSnapshot() {
    return snapshot != null;
  }

  @Nullable Snapshot snapshot() {
    return snapshot;
  }

  /// The snapshot if not yet handed out, else the empty one.
  Snapshot nextSnapshot() {
    return snapshot == null || snapshotInProgress ? Snapshot.EMPTY : snapshot;
  }

  void acceptInProgress() {
    if (count > 0) {
      offsetInProgress = offset + count;
    }
    if (snapshot != null) {
      snapshotInProgress = true;
    }
  }

  /// The term at `index`, [EntryLog#NO_TERM] when this part of the log does not know it.
  long term(long index) {
    if (index < offset) {
      return snapshot != null && snapshot.index() == index ? snapshot.term() : EntryLog.NO_TERM;
    }
    return index < offset + count ? at(index).term() : EntryLog.NO_TERM;
  }

  private Entry at(long index) {
    return array[start + (int) (index - offset)];
  }

  /// Entries `[low, high)`, all of which are here.
  List<Entry> slice(long low, long high) {
    if (high - low == latest.size() && low < high && latest.get(0).index() == low) {
      return latest;
    }
    int from = start + (int) (low - offset);
    return Entries.wrap(Arrays.copyOfRange(array, from, from + (int) (high - low)));
  }

  /// As [#slice(long, long)], cut where encoded sizes pass `bytesMax`, after one entry at the earliest.
  List<Entry> slice(long low, long high, long bytesMax) {
    if (bytesMax == RaftConfig.UNLIMITED || low >= high) {
      return slice(low, high);
    }
    long bytes = EntrySize.encoded(at(low));
    long end = low + 1;
    while (end < high) {
      bytes += EntrySize.encoded(at(end));
      if (bytes > bytesMax) {
        break;
      }
      end++;
    }
    return slice(low, end);
  }

  /// Entries up to `index` are in storage, if the one there is of `term`: otherwise storage wrote what was replaced
  /// here meanwhile, and the report means nothing.
  void stableTo(long index, long term) {
    long known = term(index);
    if (known == EntryLog.NO_TERM) {
      log.log(
          RaftLog.Level.INFO, () -> "entry at index " + index + " missing from unstable log; ignoring");
      return;
    }
    if (index < offset) {
      log.log(RaftLog.Level.INFO, () -> "entry at index " + index + " matched unstable snapshot; ignoring");
      return;
    }
    if (known != term) {
      log.log(
          RaftLog.Level.INFO,
          () ->
              "entry at (index,term)=(" + index + "," + term + ") mismatched with entry at (" + index + "," + known
                  + ") in unstable log; ignoring");
      return;
    }
    int stable = (int) (index + 1 - offset);
    Arrays.fill(array, start, start + stable, null);
    start += stable;
    count -= stable;
    if (count == 0) {
      start = 0;
      latest = Entries.NONE;
    }
    offset = index + 1;
    offsetInProgress = Math.max(offsetInProgress, offset);
  }

  void stableSnapshotTo(long index) {
    if (snapshot != null && snapshot.index() == index) {
      snapshot = null;
      snapshotInProgress = false;
    }
  }

  /// Starts over behind a received snapshot.
  void restore(Snapshot received) {
    offset = received.index() + 1;
    offsetInProgress = offset;
    array = new Entry[SMALLEST];
    start = 0;
    count = 0;
    latest = Entries.NONE;
    snapshot = received;
    snapshotInProgress = false;
  }

  /// Adds entries, which follow each other, replacing whatever was at or behind the first one's index.
  ///
  /// @param entries a list that never changes
  void truncateAndAppend(List<Entry> entries) {
    long from = entries.get(0).index();
    if (from <= offset) {
      if (from < offset || count > 0) {
        log.log(RaftLog.Level.INFO, () -> "replace the unstable entries from index " + from);
      }
      Arrays.fill(array, start, start + count, null);
      start = 0;
      count = 0;
      offset = from;
      offsetInProgress = from;
    } else if (from < offset + count) {
      log.log(RaftLog.Level.INFO, () -> "truncate the unstable entries before index " + from);
      int kept = (int) (from - offset);
      Arrays.fill(array, start + kept, start + count, null);
      count = kept;
      offsetInProgress = Math.min(offsetInProgress, from);
    } else {
      Invariant.check(from == offset + count, "a gap in the log");
    }
    latest = entries;
    reserve(entries.size());
    for (int i = 0, n = entries.size(); i < n; i++) {
      array[start + count++] = entries.get(i);
    }
  }

  private void reserve(int more) {
    int needed = count + more;
    if (start + needed <= array.length) {
      return;
    }
    Entry[] target = needed > array.length / 2 ? new Entry[Math.max(SMALLEST, needed * 2)] : array;
    System.arraycopy(array, start, target, 0, count);
    if (target == array) {
      Arrays.fill(array, Math.max(count, start), start + count, null);
    }
    array = target;
    start = 0;
  }
}
