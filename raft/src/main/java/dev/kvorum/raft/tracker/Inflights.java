package dev.kvorum.raft.tracker;

import dev.kvorum.env.Invariant;

/// Append messages sent to one member and not yet acknowledged: a ring of (last index, payload bytes), bounded by
/// count and by bytes. The ring grows as needed, since most members never come near the bound.
public final class Inflights {
  private static final int SMALLEST = 16;

  private final int countMax;
  private final long bytesMax;
  private long[] lastIndexes = new long[0];
  private long[] sizes = new long[0];
  private int head;
  private int count;
  private long bytes;

  /// @param bytesMax 0 for no limit
  public Inflights(int countMax, long bytesMax) {
    this.countMax = countMax;
    this.bytesMax = bytesMax;
  }

  private Inflights(Inflights other) {
    countMax = other.countMax;
    bytesMax = other.bytesMax;
    lastIndexes = other.lastIndexes.clone();
    sizes = other.sizes.clone();
    head = other.head;
    count = other.count;
    bytes = other.bytes;
  }

  Inflights copy() {
    return new Inflights(this);
  }

  /// Notes a message whose last entry is `lastIndex`. Indexes must ascend. One message may go over the byte limit.
  public void add(long lastIndex, long payloadBytes) {
    Invariant.check(!isFull(), "cannot add into a full inflights");
    if (count == lastIndexes.length) {
      grow();
    }
    int at = slot(count);
    lastIndexes[at] = lastIndex;
    sizes[at] = payloadBytes;
    count++;
    bytes += payloadBytes;
  }

  /// Forgets the messages up to and including last index `index`.
  public void freeTo(long index) {
    while (count > 0 && lastIndexes[head] <= index) {
      bytes -= sizes[head];
      head = slot(1);
      count--;
    }
  }

  public boolean isFull() {
    return count == countMax || (bytesMax != 0 && bytes >= bytesMax);
  }

  public int count() {
    return count;
  }

  public long bytes() {
    return bytes;
  }

  void reset() {
    head = 0;
    count = 0;
    bytes = 0;
  }

  private int slot(int offset) {
    return (head + offset) & (lastIndexes.length - 1);
  }

  private void grow() {
    int capacity = Math.max(SMALLEST, lastIndexes.length * 2);
    lastIndexes = unrolled(lastIndexes, capacity);
    sizes = unrolled(sizes, capacity);
    head = 0;
  }

  private long[] unrolled(long[] ring, int capacity) {
    long[] larger = new long[capacity];
    System.arraycopy(ring, head, larger, 0, ring.length - head);
    System.arraycopy(ring, 0, larger, ring.length - head, head);
    return larger;
  }
}
