package dev.kvorum.state.keys;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The older revisions of one key, oldest first, shared by all the [KeyEntry]s that key has had since its last
/// compaction.
///
/// A key's history is a line, never a tree: each new entry adds one revision behind those its predecessor knew. So one
/// array serves them all; each entry knows how many slots are its own, and the writer (the apply loop) only ever writes
/// a slot that no published entry covers. That makes a put into a key with 100,000 revisions cost what any put costs.
///
/// One word per revision: `main << 1 | tombstone`. Sub-revisions are zero for all but multi-operation txns, so their
/// array exists only once one is not. `baseCreated` and `baseVersion` are those of the revision in slot 0, whose
/// generation may have lost its beginning to compaction; later generations begin inside the log and are counted from
/// there.
final class RevisionLog {
  private static final int CAPACITY_MIN = 1;

  final long baseCreated;
  final long baseVersion;
  private final long[] words;
  private int @Nullable [] subs;

  RevisionLog(long baseCreated, long baseVersion, int capacity) {
    this.baseCreated = baseCreated;
    this.baseVersion = baseVersion;
    this.words = new long[Math.max(capacity, CAPACITY_MIN)];
  }

  /// This log with one more revision in slot `count`, or a larger copy of it when it is full.
  RevisionLog append(int count, long main, int sub, boolean tombstone) {
    RevisionLog log = this;
    if (count == words.length) {
      log = new RevisionLog(baseCreated, baseVersion, count + (count >> 1) + 1);
      log.copy(this, 0, count);
    }
    log.set(count, main, sub, tombstone);
    return log;
  }

  /// Slots `from` to `to` as a log of their own, with a little room behind them.
  RevisionLog slice(int from, int to, long created, long version) {
    RevisionLog log = new RevisionLog(created, version, to - from + 1);
    log.copy(this, from, to);
    return log;
  }

  private void copy(RevisionLog source, int from, int to) {
    System.arraycopy(source.words, from, words, 0, to - from);
    int[] sourceSubs = source.subs;
    if (sourceSubs != null) {
      int[] own = new int[words.length];
      System.arraycopy(sourceSubs, from, own, 0, to - from);
      subs = own;
    }
  }

  private void set(int slot, long main, int sub, boolean tombstone) {
    words[slot] = main << 1 | (tombstone ? 1 : 0);
    if (sub != 0 || subs != null) {
      // A reader that sees the fresh array early reads zeros, which is what its slots hold.
      if (subs == null) {
        subs = new int[words.length];
      }
      subs[slot] = sub;
    }
  }

  long main(int slot) {
    return words[slot] >>> 1;
  }

  int sub(int slot) {
    int[] array = subs;
    return array == null ? 0 : array[slot];
  }

  boolean isTombstone(int slot) {
    return (words[slot] & 1) != 0;
  }

  /// The last of the first `count` slots whose main is at most `main`; -1 when there is none.
  int lastAtOrBelow(long main, int count) {
    if (count > 0 && words[count - 1] >>> 1 <= main) {
      return count - 1;
    }
    int found = Arrays.binarySearch(words, 0, count, main << 1 | 1);
    if (found < 0) {
      return -found - 2;
    }
    // Words of one txn on one key are equal when both are tombstones: take the last.
    while (found + 1 < count && words[found + 1] >>> 1 == main) {
      found++;
    }
    return found;
  }

  /// The slot where the generation that `slot` belongs to begins.
  int generationStart(int slot) {
    int start = slot;
    while (start > 0 && !isTombstone(start - 1)) {
      start--;
    }
    return start;
  }

  /// Bytes on the heap, as a compressed-pointer JVM lays them out.
  long heapBytes() {
    int[] array = subs;
    return 40 + 16 + 8L * words.length + (array == null ? 0 : 16 + 4L * array.length);
  }
}
