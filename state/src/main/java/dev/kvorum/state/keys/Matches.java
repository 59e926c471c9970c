package dev.kvorum.state.keys;

import java.util.Arrays;

/// What a step of a range has found in the index, in key order: where the records are or, if values are not asked for,
/// the records themselves, as far as the index knows them.
final class Matches {
  private final boolean described;
  private long[] mains = new long[16];
  private int[] subs = new int[16];
  private byte[][] records = {};
  private long recordBytes;
  private int count;

  /// @param described whether the index is to give the records: without value and lease
  Matches(boolean described) {
    this.described = described;
  }

  /// Adds the key that `walk` stands on, as it has found it to be.
  void add(IndexView.Walk walk) {
    if (count == mains.length) {
      mains = Arrays.copyOf(mains, 2 * count);
      subs = Arrays.copyOf(subs, 2 * count);
    }
    mains[count] = walk.foundMain();
    subs[count] = walk.foundSub();
    if (described) {
      if (count >= records.length) {
        records = Arrays.copyOf(records, mains.length);
      }
      records[count] = StoredKv.describe(walk.key(), walk.foundCreated(), walk.foundMain(), walk.foundVersion());
      recordBytes += records[count].length;
    }
    count++;
  }

  int count() {
    return count;
  }

  /// The revisions' mains, with room behind the last.
  long[] mains() {
    return mains;
  }

  /// The revisions' subs, with room behind the last.
  int[] subs() {
    return subs;
  }

  /// The records, if they were asked for.
  byte[][] records() {
    return Arrays.copyOf(records, count);
  }

  /// Bytes of [#records].
  long recordBytes() {
    return recordBytes;
  }
}
