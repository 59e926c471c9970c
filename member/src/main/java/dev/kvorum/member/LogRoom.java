package dev.kvorum.member;

import java.util.ArrayDeque;

/// Which of the applied entries raft keeps in memory for members that are behind: the newest, up to a number of entries
/// and a number of bytes. Whoever is further behind is sent a snapshot. Owned by the apply loop.
final class LogRoom {
  /// How finely bytes are told apart.
  private static final int PARTS = 16;

  private final long entriesMax;
  private final long pruneEvery;
  private final long bytesMax;
  private final ArrayDeque<Mark> marks = new ArrayDeque<>();
  private long total;
  private long prunedAt;
  private long totalAtPrune;

  /// Up to entry `index`, `total` bytes had been applied.
  private record Mark(long index, long total) {}

  /// @param pruneEvery so many entries applied, or sooner if they are large
  LogRoom(long entriesMax, long pruneEvery, long bytesMax, long startIndex) {
    this.entriesMax = entriesMax;
    this.pruneEvery = pruneEvery;
    this.bytesMax = bytesMax;
    this.prunedAt = startIndex;
  }

  /// Everything up to `index` is applied, `bytes` of it since the last call.
  void applied(long index, long bytes) {
    total += bytes;
    Mark last = marks.peekLast();
    if (total - (last == null ? 0 : last.total()) >= bytesMax / PARTS) {
      marks.add(new Mark(index, total));
    }
  }

  /// Whether enough has come since the last pruning.
  boolean isDue(long index) {
    return index - prunedAt >= pruneEvery || total - totalAtPrune >= bytesMax / PARTS;
  }

  /// The last entry that need not be kept, 0 when all are to be.
  long prune(long index) {
    prunedAt = index;
    totalAtPrune = total;
    long to = Math.max(0, index - entriesMax);
    while (!marks.isEmpty() && total - marks.peek().total() >= bytesMax) {
      to = Math.max(to, marks.poll().index());
    }
    return to;
  }

  /// The log begins anew behind a snapshot at `index`.
  void reset(long index) {
    marks.clear();
    prunedAt = index;
    totalAtPrune = total;
  }
}
