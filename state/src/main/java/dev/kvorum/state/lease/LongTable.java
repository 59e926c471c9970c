package dev.kvorum.state.lease;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A map from lease ids to objects without boxes or entries: a million leases cost 16 bytes each here.
///
/// Open addressing with linear probing, at most half full; removal closes the gap, so there are no graves. Ids are
/// hashed, for clients choose them. Iteration is in table order, which depends on ids and history: sort what must not.
final class LongTable<V> {
  private static final int CAPACITY_MIN = 16;

  private long[] ids = new long[CAPACITY_MIN];
  private @Nullable Object[] values = new Object[CAPACITY_MIN];
  private int size;

  int size() {
    return size;
  }

  @Nullable V get(long id) {
    return value(find(id));
  }

  /// Maps `id`, which must be absent.
  void add(long id, V value) {
    if (2 * (size + 1) > ids.length) {
      resize(2 * ids.length);
    }
    insert(id, value);
    size++;
  }

  /// @return what was mapped; null when nothing was
  @Nullable V remove(long id) {
    int hole = find(id);
    V removed = value(hole);
    if (removed == null) {
      return null;
    }
    int mask = ids.length - 1;
    int probe = hole;
    while (true) {
      probe = probe + 1 & mask;
      if (values[probe] == null) {
        break;
      }
      int home = home(ids[probe]);
      // Move back whatever may stand in the hole: its home is not between hole and probe, going round.
      if ((probe - home & mask) >= (probe - hole & mask)) {
        ids[hole] = ids[probe];
        values[hole] = values[probe];
        hole = probe;
      }
    }
    values[hole] = null;
    size--;
    if (ids.length > CAPACITY_MIN && 8 * size < ids.length) {
      resize(ids.length / 2);
    }
    return removed;
  }

  void forEach(Consumer<V> action) {
    for (int i = 0; i < ids.length; i++) {
      V value = value(i);
      if (value != null) {
        action.accept(value);
      }
    }
  }

  @SuppressWarnings("unchecked") // only add() fills the array
  private @Nullable V value(int slot) {
    return (V) values[slot];
  }

  /// The slot of `id`, or the free one where it would go.
  private int find(long id) {
    int mask = ids.length - 1;
    int slot = home(id);
    while (values[slot] != null && ids[slot] != id) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private void insert(long id, Object value) {
    int slot = find(id);
    ids[slot] = id;
    values[slot] = value;
  }

  private int home(long id) {
    long mixed = id * 0x9e3779b97f4a7c15L;
    return (int) (mixed >>> 32) & ids.length - 1;
  }

  private void resize(int capacity) {
    long[] oldIds = ids;
    @Nullable Object[] oldValues = values;
    ids = new long[capacity];
    values = new Object[capacity];
    for (int i = 0; i < oldIds.length; i++) {
      Object value = oldValues[i];
      if (value != null) {
        insert(oldIds[i], value);
      }
    }
  }
}
