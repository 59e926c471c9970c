package dev.kvorum.state.backend;

import dev.kvorum.env.Invariant;
import java.util.Arrays;

/// Changes of keys that bolt does not hold yet, in order of revision: append-only, owned by the apply loop, read by any
/// thread through a [Slice].
///
/// Rows lie in chunks that never move. A slice names the rows that existed when it was made; rows appended later go
/// into places it does not look at. Mains rise by one from the first on, so a revision is found almost where its number
/// says.
public final class Memtable {
  private static final int CHUNK_BITS = 9;
  private static final int CHUNK_ROWS = 1 << CHUNK_BITS;

  private Chunk[] chunks = new Chunk[4];
  private int rows;
  private long firstMain;
  private long lastMain;
  private int lastSub;
  private long bytes;

  private static final class Chunk {
    final long[] mains = new long[CHUNK_ROWS];
    final int[] subs = new int[CHUNK_ROWS];
    final boolean[] tombstones = new boolean[CHUNK_ROWS];
    final byte[][] records = new byte[CHUNK_ROWS][];
  }

  Memtable() {}

  /// @param record the stored `mvccpb.KeyValue`, given away
  void append(long main, int sub, boolean tombstone, byte[] record) {
    int chunk = rows >>> CHUNK_BITS;
    int row = rows & CHUNK_ROWS - 1;
    if (row == 0) {
      if (chunk == chunks.length) {
        chunks = Arrays.copyOf(chunks, 2 * chunk);
      }
      chunks[chunk] = new Chunk();
    }
    if (rows == 0) {
      firstMain = main;
    } else {
      Invariant.check(
          main == lastMain + 1 || main == lastMain && sub > lastSub, "revisions in a memtable must follow each other");
    }
    lastMain = main;
    lastSub = sub;
    Chunk target = chunks[chunk];
    target.mains[row] = main;
    target.subs[row] = sub;
    target.tombstones[row] = tombstone;
    target.records[row] = record;
    rows++;
    bytes += record.length + RevisionKey.SIZE;
  }

  public int rows() {
    return rows;
  }

  /// Bytes of the keys and values it holds.
  public long bytes() {
    return bytes;
  }

  /// The rows there are now, for any thread.
  public Slice slice() {
    return new Slice(chunks, rows, firstMain);
  }

  /// Rows of a memtable up to one moment. Immutable.
  public static final class Slice {
    public static final Slice EMPTY = new Slice(new Chunk[0], 0, Long.MAX_VALUE);

    private final Chunk[] chunks;
    private final int rows;
    private final long firstMain;

    private Slice(Chunk[] chunks, int rows, long firstMain) {
      this.chunks = chunks;
      this.rows = rows;
      this.firstMain = rows == 0 ? Long.MAX_VALUE : firstMain;
    }

    public int rows() {
      return rows;
    }

    /// The main of the first row; `Long.MAX_VALUE` when there is none. Any lower revision lies elsewhere.
    public long firstMain() {
      return firstMain;
    }

    public long main(int row) {
      return chunks[row >>> CHUNK_BITS].mains[row & CHUNK_ROWS - 1];
    }

    public int sub(int row) {
      return chunks[row >>> CHUNK_BITS].subs[row & CHUNK_ROWS - 1];
    }

    public boolean isTombstone(int row) {
      return chunks[row >>> CHUNK_BITS].tombstones[row & CHUNK_ROWS - 1];
    }

    /// The stored `mvccpb.KeyValue`, read-only.
    public byte[] record(int row) {
      return chunks[row >>> CHUNK_BITS].records[row & CHUNK_ROWS - 1];
    }

    /// The first row at or above the revision; `rows()` when all are below.
    public int ceiling(long main, int sub) {
      if (main <= firstMain && (main < firstMain || sub == 0)) {
        return 0;
      }
      // Each main has at least one row, so the row sought is here or further on.
      int low = (int) Math.min(main - firstMain, rows);
      if (low < rows && main(low) == main && sub(low) == sub) {
        return low;
      }
      int high = rows;
      while (low < high) {
        int middle = (low + high) >>> 1;
        long found = main(middle);
        if (found < main || found == main && sub(middle) < sub) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low;
    }

    /// The record of a revision this slice must have: `firstMain() <= main` and the revision exists.
    public byte[] find(long main, int sub) {
      int row = ceiling(main, sub);
      Invariant.check(
          row < rows && main(row) == main && sub(row) == sub,
          () -> "revision " + main + "." + sub + " is not in the memtable it belongs to");
      return record(row);
    }
  }
}
