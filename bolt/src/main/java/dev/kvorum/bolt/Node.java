package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A page being changed by a write transaction: out of the file, of any size until the commit splits it.
///
/// Elements are rows of four numbers in one flat array, in key order; their bytes lie in another, in any order. So a
/// node costs a handful of objects whatever it holds, an insertion moves numbers only, and a run of elements whose
/// bytes happen to lie in order (a page taken over whole, ascending puts) is written out with one copy.
///
/// Long values of the page taken over stay where they are, in the map: behind such a key lies, instead of its value,
/// the value's offset there. So deleting or moving what is large costs no memory.
abstract sealed class Node permits LeafNode, BranchNode {
  static final int STRIDE = 4;
  static final int AT = 0;
  static final int KEY_LENGTH = 1;
  static final int VALUE_LENGTH = 2;
  static final int FLAGS = 3;

  /// Beside [Page#BUCKET] in a row's flags: the value is in the map.
  static final int MAPPED = 2;

  /// Values of at least so many bytes are left in the map.
  static final int MAPPED_BYTES_MIN = 1024;

  private static final VarHandle OFFSET = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int DATA_BYTES_MAX = Integer.MAX_VALUE - 16;

  /// The page this node replaces, free once the node is written; 0 if none.
  long pageId;
  int pageSpan;

  /// Null for the root of a bucket.
  @Nullable BranchNode parent;

  int count;
  int[] rows;
  byte[] data;
  int dataEnd;

  /// Bytes of `data` below `dataEnd` that no element has.
  private long garbage;

  /// Bytes it would take as one page, without padding.
  long size = Page.HEADER_BYTES;

  /// Whether it lost elements: only then may it have become too small.
  boolean shrunk;

  Node(int rowCapacity, int dataCapacity) {
    rows = new int[Math.max(rowCapacity, 8) * STRIDE];
    data = new byte[dataCapacity];
  }

  final int keyAt(int i) {
    return rows[i * STRIDE + AT];
  }

  final int keyLength(int i) {
    return rows[i * STRIDE + KEY_LENGTH];
  }

  final int valueLength(int i) {
    return rows[i * STRIDE + VALUE_LENGTH];
  }

  /// As on a page.
  final int flags(int i) {
    return rows[i * STRIDE + FLAGS] & Page.BUCKET;
  }

  final boolean isMapped(int i) {
    return (rows[i * STRIDE + FLAGS] & MAPPED) != 0;
  }

  /// Where the value of element `i` lies in the map, if it does.
  final long mappedAt(int i) {
    return (long) OFFSET.get(data, valueAt(i));
  }

  /// Where the value, unless mapped, lies in `data`.
  final int valueAt(int i) {
    return keyAt(i) + keyLength(i);
  }

  /// Bytes that element `i` has in `data`.
  final int storedBytes(int i) {
    return keyLength(i) + (isMapped(i) ? Long.BYTES : valueLength(i));
  }

  /// Bytes that all elements have in `data`.
  final long storedBytes() {
    return dataEnd - garbage;
  }

  final byte[] value(int i, Pages pages) {
    byte[] value = new byte[valueLength(i)];
    copyValue(i, pages, value, 0);
    return value;
  }

  final void copyValue(int i, Pages pages, byte[] target, int at) {
    if (isMapped(i)) {
      MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, mappedAt(i), target, at, valueLength(i));
    } else {
      System.arraycopy(data, valueAt(i), target, at, valueLength(i));
    }
  }

  /// The value in place, read-only.
  final MemorySegment valueSegment(int i, Pages pages) {
    return isMapped(i)
        ? pages.map.asSlice(mappedAt(i), valueLength(i))
        : MemorySegment.ofArray(data).asSlice(valueAt(i), valueLength(i)).asReadOnly();
  }

  /// What element `i` adds to the size of a page.
  final int elementBytes(int i) {
    return Page.ELEMENT_BYTES + keyLength(i) + valueLength(i);
  }

  final int compareKey(int i, byte[] key) {
    return KeyOrder.compare(data, keyAt(i), keyLength(i), key, 0, key.length);
  }

  /// Whether keys ascend: asked of what comes from the file, since all we do relies on it.
  final boolean isOrdered() {
    for (int i = 1; i < count; i++) {
      if (KeyOrder.compare(data, keyAt(i - 1), keyLength(i - 1), data, keyAt(i), keyLength(i)) >= 0) {
        return false;
      }
    }
    return true;
  }

  /// The index of `key`, or if absent `-1 - index` of the first element above it.
  final int search(byte[] key) {
    int low = 0;
    int high = count - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order = compareKey(middle, key);
      if (order < 0) {
        low = middle + 1;
      } else if (order > 0) {
        high = middle - 1;
      } else {
        return middle;
      }
    }
    return -1 - low;
  }

  /// Makes room for a row at `i` and fills it in; the bytes are already in `data` at `at`.
  final void insertRow(int i, int at, int keyLength, int valueLength, int flags) {
    if (count * STRIDE == rows.length) {
      rows = Arrays.copyOf(rows, rows.length * 2);
    }
    int row = i * STRIDE;
    if (i < count) {
      System.arraycopy(rows, row, rows, row + STRIDE, (count - i) * STRIDE);
    }
    setRow(row, at, keyLength, valueLength, flags);
    count++;
    size += Page.ELEMENT_BYTES + keyLength + valueLength;
  }

  /// Points element `i` at other bytes; its old ones become garbage.
  final void replaceRow(int i, int at, int keyLength, int valueLength, int flags) {
    garbage += storedBytes(i);
    size += keyLength + valueLength - keyLength(i) - valueLength(i);
    setRow(i * STRIDE, at, keyLength, valueLength, flags);
  }

  /// Gives element `i` a value no longer than the one it has, in place.
  final void overwriteValue(int i, byte[] value, int flags) {
    int saved = valueLength(i) - value.length;
    System.arraycopy(value, 0, data, valueAt(i), value.length);
    rows[i * STRIDE + VALUE_LENGTH] = value.length;
    rows[i * STRIDE + FLAGS] = flags;
    garbage += saved;
    size -= saved;
  }

  private void setRow(int row, int at, int keyLength, int valueLength, int flags) {
    rows[row + AT] = at;
    rows[row + KEY_LENGTH] = keyLength;
    rows[row + VALUE_LENGTH] = valueLength;
    rows[row + FLAGS] = flags;
  }

  final void removeRows(int from, int to) {
    for (int i = from; i < to; i++) {
      garbage += storedBytes(i);
      size -= elementBytes(i);
    }
    System.arraycopy(rows, to * STRIDE, rows, from * STRIDE, (count - to) * STRIDE);
    count -= to - from;
  }

  /// Appends bytes. @return where they lie. Moves the other elements' bytes if room is made by tidying up
  final int addData(byte[] source, int from, int length) {
    reserve(length);
    int at = dataEnd;
    System.arraycopy(source, from, data, at, length);
    dataEnd += length;
    return at;
  }

  /// Makes room for `extra` bytes: before a run of [#addData] whose parts must stay together.
  final void reserve(int extra) {
    if (data.length - dataEnd < extra) {
      makeRoom(extra);
    }
  }

  private void makeRoom(int extra) {
    long live = dataEnd - garbage;
    long wanted = Math.max(live + extra, Math.min(live * 2, DATA_BYTES_MAX));
    Invariant.check(live + extra <= DATA_BYTES_MAX, "a node of more than 2 GiB");
    byte[] target = new byte[(int) Math.max(wanted, 512)];
    if (garbage == 0) {
      System.arraycopy(data, 0, target, 0, dataEnd);
    } else {
      dataEnd = copyInOrder(target);
      garbage = 0;
    }
    data = target;
  }

  private int copyInOrder(byte[] target) {
    int end = 0;
    for (int i = 0; i < count; i++) {
      int length = storedBytes(i);
      System.arraycopy(data, keyAt(i), target, end, length);
      rows[i * STRIDE + AT] = end;
      end += length;
    }
    return end;
  }

  /// Appends the offset of a value in the map, behind its key.
  final void addMappedAt(long offset) {
    reserve(Long.BYTES);
    OFFSET.set(data, dataEnd, offset);
    dataEnd += Long.BYTES;
  }

  /// Appends element `i` of `source`, all but what a branch knows of its child.
  final void appendRow(Node source, int i) {
    int at = addData(source.data, source.keyAt(i), source.storedBytes(i));
    insertRow(count, at, source.keyLength(i), source.valueLength(i), source.rows[i * STRIDE + FLAGS]);
  }

  /// Whether deletions left so little that it should be joined with a sibling.
  ///
  /// @param bytesMin size at or below which it is
  abstract boolean isSmall(long bytesMin);

  /// Takes over all elements of `right`, its next sibling.
  abstract void absorb(Node right);

  /// The end of the page's worth of elements that begins at `from`: bbolt's rule for splitting (`node.go`,
  /// `splitTwo`), by which every page gets at least two elements.
  ///
  /// @param restBytes size of a page with all elements from `from` on
  final int pieceEnd(int from, long restBytes, int pageSize, double fillPercent) {
    if (count - from <= 4 || restBytes < pageSize) {
      return count;
    }
    int threshold = (int) (pageSize * fillPercent);
    int bytes = Page.HEADER_BYTES;
    for (int i = from; i < count - 2; i++) {
      bytes += elementBytes(i);
      if (i >= from + 2 && bytes > threshold) {
        return i;
      }
    }
    return count - 3;
  }
}
