package dev.kvorum.raft.quorum;

import java.util.Arrays;
import java.util.List;

/// An immutable set of node ids, iterated in ascending unsigned order: the order in which raft visits members.
public final class IdSet {
  public static final IdSet EMPTY = new IdSet(new long[0]);

  private final long[] ids;

  private IdSet(long[] ids) {
    this.ids = ids;
  }

  /// The distinct ids among `ids`, in any order.
  public static IdSet of(long... ids) {
    IdSet set = EMPTY;
    for (long id : ids) {
      set = set.with(id);
    }
    return set;
  }

  public static IdSet of(List<Long> ids) {
    IdSet set = EMPTY;
    for (long id : ids) {
      set = set.with(id);
    }
    return set;
  }

  public int size() {
    return ids.length;
  }

  public boolean isEmpty() {
    return ids.length == 0;
  }

  /// The id at `position`, ascending.
  public long at(int position) {
    return ids[position];
  }

  public boolean contains(long id) {
    return indexOf(id) >= 0;
  }

  /// The position of `id`, or `-insertionPoint - 1` if it is absent.
  public int indexOf(long id) {
    int low = 0;
    int high = ids.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order = Long.compareUnsigned(ids[middle], id);
      if (order == 0) {
        return middle;
      }
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -low - 1;
  }

  public IdSet with(long id) {
    int at = indexOf(id);
    if (at >= 0) {
      return this;
    }
    int insertion = -at - 1;
    long[] larger = new long[ids.length + 1];
    System.arraycopy(ids, 0, larger, 0, insertion);
    larger[insertion] = id;
    System.arraycopy(ids, insertion, larger, insertion + 1, ids.length - insertion);
    return new IdSet(larger);
  }

  public IdSet without(long id) {
    int at = indexOf(id);
    if (at < 0) {
      return this;
    }
    long[] smaller = new long[ids.length - 1];
    System.arraycopy(ids, 0, smaller, 0, at);
    System.arraycopy(ids, at + 1, smaller, at, smaller.length - at);
    return smaller.length == 0 ? EMPTY : new IdSet(smaller);
  }

  public IdSet union(IdSet other) {
    IdSet set = this;
    for (long id : other.ids) {
      set = set.with(id);
    }
    return set;
  }

  /// How many ids are in exactly one of the two sets.
  public int symmetricDifference(IdSet other) {
    int common = 0;
    for (long id : ids) {
      if (other.contains(id)) {
        common++;
      }
    }
    return size() + other.size() - 2 * common;
  }

  /// Ascending, immutable.
  public List<Long> toList() {
    Long[] boxed = new Long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      boxed[i] = ids[i];
    }
    return List.of(boxed);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IdSet that && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ids);
  }

  /// `(1 2 a)`: hexadecimal, as etcd raft prints a majority.
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("(");
    for (int i = 0; i < ids.length; i++) {
      text.append(i == 0 ? "" : " ").append(Long.toHexString(ids[i]));
    }
    return text.append(')').toString();
  }
}
