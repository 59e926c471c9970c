package dev.kvorum.raft;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

/// An immutable run of entries that passes through records without being copied again: the same few hundred entries
/// appear in a Ready, in a storage message and in a message to each follower.
final class Entries extends AbstractList<Entry> implements RandomAccess {
  static final Entries NONE = new Entries(new Entry[0]);

  private final Entry[] array;

  private Entries(Entry[] array) {
    this.array = array;
  }

  /// Takes ownership of `array`, which holds no nulls.
  static List<Entry> wrap(Entry[] array) {
    return array.length == 0 ? NONE : new Entries(array);
  }

  /// `entries` itself if it cannot change, else a copy.
  static List<Entry> frozen(List<Entry> entries) {
    return entries instanceof Entries ? entries : List.copyOf(entries);
  }

  static List<Entry> concat(List<Entry> first, List<Entry> second) {
    Entry[] all = Arrays.copyOf(first.toArray(new Entry[0]), first.size() + second.size());
    for (int i = 0; i < second.size(); i++) {
      all[first.size() + i] = second.get(i);
    }
    return wrap(all);
  }

  @Override
  public Entry get(int index) {
    return array[index];
  }

  @Override
  public int size() {
    return array.length;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <T> T[] toArray(T[] a) {
    return a.length == 0 ? (T[]) array.clone() : super.toArray(a);
  }
}
