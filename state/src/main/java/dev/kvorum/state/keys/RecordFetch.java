package dev.kvorum.state.keys;

import dev.kvorum.bolt.Cursor;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.backend.RevisionKey;
import java.util.Arrays;
import java.util.Comparator;

/// Fetches the records of revisions that the index named, or only their lengths.
///
/// It reads in order of revision, whatever order it was asked in, so that the cursor goes forward only and revisions
/// written together are found together. One thread's.
final class RecordFetch {
  /// Fewer are sought one by one.
  private static final int ORDERED_MIN = 8;

  /// How far a record may lie ahead to be stepped to, not sought.
  private static final int STEPS_MAX = 8;

  private final KvState state;
  private final byte[] key = new byte[RevisionKey.SIZE];
  private final byte[] found = new byte[RevisionKey.TOMBSTONE_SIZE];

  RecordFetch(KvState state) {
    this.state = state;
  }

  /// Takes one record at a time, by its position among those asked for.
  private interface Sink {
    /// @return whether to go on
    boolean take(int position, byte[] record);

    boolean take(int position, Cursor cursor) throws CorruptionException;
  }

  /// Fetches the records of the first `count` revisions into `records`.
  ///
  /// @param bytesMax stop once the records take more than this
  /// @return false when they do; `records` is then incomplete
  boolean records(long[] mains, int[] subs, int count, byte[][] records, long bytesMax) throws CorruptionException {
    return visit(
        mains,
        subs,
        count,
        new Sink() {
          private long bytes;

          @Override
          public boolean take(int position, byte[] record) {
            records[position] = record;
            bytes += record.length;
            return bytes <= bytesMax;
          }

          @Override
          public boolean take(int position, Cursor cursor) throws CorruptionException {
            return bytes + cursor.valueLength() <= bytesMax && take(position, cursor.value());
          }
        });
  }

  /// Tells how long the records of the first `count` revisions are, without reading them.
  void lengths(long[] mains, int[] subs, int count, int[] lengths) throws CorruptionException {
    visit(
        mains,
        subs,
        count,
        new Sink() {
          @Override
          public boolean take(int position, byte[] record) {
            lengths[position] = record.length;
            return true;
          }

          @Override
          public boolean take(int position, Cursor cursor) {
            lengths[position] = cursor.valueLength();
            return true;
          }
        });
  }

  private boolean visit(long[] mains, int[] subs, int count, Sink sink) throws CorruptionException {
    long firstPending = state.pending().length == 0 ? Long.MAX_VALUE : state.pending()[0].firstMain();
    boolean ascending = true;
    int[] order = new int[count];
    int inBolt = 0;
    for (int i = 0; i < count; i++) {
      if (mains[i] >= firstPending) {
        if (!sink.take(i, state.record(mains[i], subs[i]))) {
          return false;
        }
      } else {
        ascending &= inBolt == 0 || mains[order[inBolt - 1]] <= mains[i];
        order[inBolt++] = i;
      }
    }
    if (!ascending && inBolt >= ORDERED_MIN) {
      order = sortedByMain(mains, order, inBolt);
    }
    return visitBolt(mains, subs, order, inBolt, sink);
  }

  private boolean visitBolt(long[] mains, int[] subs, int[] order, int count, Sink sink) throws CorruptionException {
    if (count == 0) {
      return true;
    }
    Cursor cursor = state.cursor();
    long at = -STEPS_MAX - 1;
    for (int i = 0; i < count; i++) {
      int position = order[i];
      long main = mains[position];
      RevisionKey.write(key, main, subs[position]);
      boolean near = main - at <= STEPS_MAX && main >= at;
      if (!(near && stepTo(cursor)) && !(cursor.seek(key) && isAt(cursor))) {
        throw RevisionReader.missing(main, subs[position]);
      }
      if (!sink.take(position, cursor)) {
        return false;
      }
      at = main;
    }
    return true;
  }

  private boolean stepTo(Cursor cursor) throws CorruptionException {
    for (int step = 0; step < STEPS_MAX; step++) {
      if (isAt(cursor)) {
        return true;
      }
      if (!cursor.next()) {
        return false;
      }
    }
    return isAt(cursor);
  }

  private boolean isAt(Cursor cursor) {
    if (cursor.keyLength() != RevisionKey.SIZE) {
      return false;
    }
    cursor.copyKey(found, 0);
    return RevisionKey.main(found) == RevisionKey.main(key) && RevisionKey.sub(found) == RevisionKey.sub(key);
  }

  /// Positions ordered by main: each packed under its main's distance from the lowest, where that fits.
  private static int[] sortedByMain(long[] mains, int[] order, int count) {
    long lowest = Long.MAX_VALUE;
    long highest = 0;
    for (int i = 0; i < count; i++) {
      lowest = Math.min(lowest, mains[order[i]]);
      highest = Math.max(highest, mains[order[i]]);
    }
    if (highest - lowest > Integer.MAX_VALUE) {
      Integer[] boxed = new Integer[count];
      Arrays.setAll(boxed, i -> order[i]);
      Arrays.sort(boxed, Comparator.comparingLong(i -> mains[i]));
      return Arrays.stream(boxed).mapToInt(Integer::intValue).toArray();
    }
    long[] packed = new long[count];
    for (int i = 0; i < count; i++) {
      packed[i] = mains[order[i]] - lowest << 32 | order[i];
    }
    Arrays.sort(packed);
    int[] sorted = new int[count];
    for (int i = 0; i < count; i++) {
      sorted[i] = (int) packed[i];
    }
    return sorted;
  }
}
