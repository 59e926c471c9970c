package dev.kvorum.bolt;

import java.util.Arrays;

/// A set of page ids as a bitmap, with a second bitmap of the words that are not empty: 32 MB tell the pages of a
/// terabyte, and finding the next member skips 4,096 absent ones at a glance.
final class PageSet {
  private long[] words = new long[64];
  private long[] filled = new long[1];
  private long size;

  long size() {
    return size;
  }

  boolean contains(long id) {
    return id >>> 6 < words.length && (words[(int) (id >>> 6)] & 1L << id) != 0;
  }

  /// @return false when it was in already
  boolean add(long id) {
    int w = (int) (id >>> 6);
    if (w >= words.length) {
      int length = Math.max(words.length * 2, (w | 63) + 1);
      words = Arrays.copyOf(words, length);
      filled = Arrays.copyOf(filled, length >>> 6);
    }
    long bit = 1L << id;
    if ((words[w] & bit) != 0) {
      return false;
    }
    words[w] |= bit;
    filled[w >>> 6] |= 1L << w;
    size++;
    return true;
  }

  void remove(long id) {
    int w = (int) (id >>> 6);
    words[w] &= ~(1L << id);
    if (words[w] == 0) {
      filled[w >>> 6] &= ~(1L << w);
    }
    size--;
  }

  /// The least member not below `from`, or -1.
  long next(long from) {
    if (from >>> 6 >= words.length) {
      return -1;
    }
    int w = (int) (from >>> 6);
    long rest = words[w] & (-1L << from);
    if (rest != 0) {
      return ((long) w << 6) + Long.numberOfTrailingZeros(rest);
    }
    w = nextFilled(w + 1);
    return w < 0 ? -1 : ((long) w << 6) + Long.numberOfTrailingZeros(words[w]);
  }

  private int nextFilled(int from) {
    int f = from >>> 6;
    if (f >= filled.length) {
      return -1;
    }
    long rest = filled[f] & (-1L << from);
    while (rest == 0) {
      if (++f >= filled.length) {
        return -1;
      }
      rest = filled[f];
    }
    return (f << 6) + Long.numberOfTrailingZeros(rest);
  }

  /// The members from `64 * w` on, as bits.
  long word(int w) {
    return w < words.length ? words[w] : 0;
  }

  /// How many of the ids from `id` on are members without a gap, counted up to `enough` or a little beyond.
  long runFrom(long id, long enough) {
    long run = 0;
    while (run < enough && id >>> 6 < words.length) {
      int ones = Long.numberOfTrailingZeros(~(words[(int) (id >>> 6)] >>> id));
      int left = 64 - (int) (id & 63);
      run += Math.min(ones, left);
      if (ones < left) {
        break;
      }
      id += left;
    }
    return run;
  }
}
