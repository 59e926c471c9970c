package dev.kvorum.raft;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import java.util.List;

/// A stable log kept in memory: what the write-ahead log made durable, as raft reads it back.
///
/// Entries sit in a ring, so that appending a batch and compacting cost only the entries concerned. Just before the
/// first entry is a remembered point, the (term, index) of the last compacted entry or of the snapshot. Owned by the
/// loop that steps the node.
public final class MemoryLog implements LogStorage {
  private static final int SMALLEST = 64;

  private HardState hardState = HardState.EMPTY;
  private Snapshot snapshot = Snapshot.EMPTY;
  private Entry[] ring = new Entry[SMALLEST];
  private int head;
  private int count;
  private long compactedIndex;
  private long compactedTerm;

  @Override
  public InitialState initialState() {
    return new InitialState(hardState, snapshot.confState());
  }

  public void setHardState(HardState state) {
    hardState = state;
  }

  public HardState hardState() {
    return hardState;
  }

  @Override
  public long firstIndex() {
    return compactedIndex + 1;
  }

  @Override
  public long lastIndex() {
    return compactedIndex + count;
  }

  @Override
  public long term(long index) {
    if (index == compactedIndex) {
      return compactedTerm;
    }
    return entry(index).term();
  }

  /// The entry at `index`. @throws GapException when there is none
  public Entry entry(long index) {
    if (index <= compactedIndex) {
      throw new GapException(Gap.COMPACTED);
    }
    if (index > lastIndex()) {
      throw new GapException(Gap.UNAVAILABLE);
    }
    return ring[slot(index)];
  }

  @Override
  public List<Entry> entries(long low, long high, long bytesMax) {
    if (low <= compactedIndex) {
      throw new GapException(Gap.COMPACTED);
    }
    if (high > lastIndex() + 1) {
      throw new GapException(Gap.UNAVAILABLE);
    }
    if (low >= high) {
      return List.of();
    }
    long bytes = EntrySize.encoded(ring[slot(low)]);
    long end = low + 1;
    while (end < high) {
      bytes += EntrySize.encoded(ring[slot(end)]);
      if (bytes > bytesMax) {
        break;
      }
      end++;
    }
    Entry[] run = new Entry[(int) (end - low)];
    int from = slot(low);
    int straight = Math.min(run.length, ring.length - from);
    System.arraycopy(ring, from, run, 0, straight);
    System.arraycopy(ring, 0, run, straight, run.length - straight);
    return Entries.wrap(run);
  }

  @Override
  public Snapshot snapshot() {
    return snapshot;
  }

  /// Adds entries, which follow each other. Those already compacted are skipped; those at or behind one that is
  /// already here replace it and everything after it (Raft paper §5.3).
  public void append(List<Entry> entries) {
    int n = entries.size();
    if (n == 0) {
      return;
    }
    long from = entries.get(0).index();
    long end = lastIndex() + 1;
    Invariant.check(from <= end, () -> "missing log entry [last: " + (end - 1) + ", append at: " + from + "]");
    int skipped = (int) Math.min(n, Math.max(0, firstIndex() - from));
    if (skipped == n) {
      return;
    }
    truncateFrom(from + skipped);
    reserve(count + n - skipped);
    for (int i = skipped; i < n; i++) {
      Entry entry = entries.get(i);
      Invariant.check(entry.index() == from + i, "entries to append do not follow each other");
      ring[(head + count) & (ring.length - 1)] = entry;
      count++;
    }
  }

  /// Forgets entries up to and including `index`, which becomes the remembered point. The application must not compact
  /// what it has not applied.
  ///
  /// @throws GapException `COMPACTED` when that was done already, `UNAVAILABLE` when there is no such entry yet
  public void compact(long index) {
    if (index <= compactedIndex) {
      throw new GapException(Gap.COMPACTED);
    }
    long term = entry(index).term();
    while (compactedIndex < index) {
      ring[head] = null;
      head = (head + 1) & (ring.length - 1);
      count--;
      compactedIndex++;
    }
    compactedTerm = term;
  }

  /// Notes a snapshot of the application's state at `index`, to be sent to members that fell behind [#firstIndex].
  ///
  /// @throws GapException `COMPACTED` when a snapshot at or after `index` exists, `UNAVAILABLE` past the end
  public Snapshot createSnapshot(long index, ConfState confState, Bytes data) {
    if (index <= snapshot.index()) {
      throw new GapException(Gap.COMPACTED);
    }
    snapshot = new Snapshot(data, confState, index, term(index));
    return snapshot;
  }

  /// Replaces everything by a received snapshot.
  ///
  /// @return false, with nothing done, when a snapshot at or after its index exists
  public boolean applySnapshot(Snapshot received) {
    if (snapshot.index() != 0 && snapshot.index() >= received.index()) {
      return false;
    }
    snapshot = received;
    ring = new Entry[SMALLEST];
    head = 0;
    count = 0;
    compactedIndex = received.index();
    compactedTerm = received.term();
    return true;
  }

  private void truncateFrom(long index) {
    while (lastIndex() >= index) {
      ring[slot(lastIndex())] = null;
      count--;
    }
  }

  private int slot(long index) {
    return (int) (head + (index - compactedIndex - 1)) & (ring.length - 1);
  }

  private void reserve(int needed) {
    if (needed <= ring.length) {
      return;
    }
    Entry[] larger = new Entry[Integer.highestOneBit(needed - 1) << 1];
    int straight = Math.min(count, ring.length - head);
    System.arraycopy(ring, head, larger, 0, straight);
    System.arraycopy(ring, 0, larger, straight, count - straight);
    ring = larger;
    head = 0;
  }
}
