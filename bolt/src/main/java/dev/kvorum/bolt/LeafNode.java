package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// A leaf being changed.
final class LeafNode extends Node {
  LeafNode(int rowCapacity, int dataCapacity) {
    super(rowCapacity, dataCapacity);
  }

  /// An empty one.
  LeafNode() {
    this(8, 512);
  }

  /// Takes over the page at `at`.
  static LeafNode of(Pages pages, long at, long end) throws CorruptionException {
    int count = pages.count(at);
    long dataAt = Pages.element(at, count);
    long stored = 0;
    boolean packed = true;
    for (int i = 0; i < count; i++) {
      long element = Pages.element(at, i);
      packed &= pages.leafKeyAt(element, end) == dataAt + stored && !staysMapped(pages, element);
      stored += pages.leafKeyLength(element)
          + (staysMapped(pages, element) ? Long.BYTES : pages.leafValueLength(element));
    }
    if (stored > end - at) {
      throw pages.corrupt(at, "leaf elements overlap");
    }
    LeafNode node = new LeafNode(count + 8, (int) (stored + Math.max(512, stored / 4)));
    if (packed) {
      node.takePacked(pages, at, count, dataAt, (int) stored);
    } else {
      node.takeEach(pages, at, end, count);
    }
    if (!node.isOrdered()) {
      throw pages.corrupt(at, "leaf keys do not ascend");
    }
    return node;
  }

  private static boolean staysMapped(Pages pages, long element) {
    return pages.leafValueLength(element) >= MAPPED_BYTES_MIN && pages.leafFlags(element) == 0;
  }

  private void takePacked(Pages pages, long at, int count, long dataAt, int stored) {
    MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, dataAt, data, 0, stored);
    dataEnd = stored;
    int keyAt = 0;
    for (int i = 0; i < count; i++) {
      long element = Pages.element(at, i);
      int keyLength = pages.leafKeyLength(element);
      int valueLength = pages.leafValueLength(element);
      insertRow(i, keyAt, keyLength, valueLength, pages.leafFlags(element));
      keyAt += keyLength + valueLength;
    }
  }

  private void takeEach(Pages pages, long at, long end, int count) throws CorruptionException {
    for (int i = 0; i < count; i++) {
      long element = Pages.element(at, i);
      long from = pages.leafKeyAt(element, end);
      int keyLength = pages.leafKeyLength(element);
      int valueLength = pages.leafValueLength(element);
      boolean mapped = staysMapped(pages, element);
      int copied = mapped ? keyLength : keyLength + valueLength;
      int keyAt = dataEnd;
      MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, from, data, keyAt, copied);
      dataEnd += copied;
      if (mapped) {
        addMappedAt(from + keyLength);
      }
      insertRow(i, keyAt, keyLength, valueLength, mapped ? MAPPED : pages.leafFlags(element));
    }
  }

  /// The inline page of a bucket whose leaf element has `value`, or null if that is no bucket with a leaf in it.
  static @Nullable LeafNode ofInline(byte[] value) {
    int start = Page.BUCKET_BYTES;
    if (value.length < start + Page.HEADER_BYTES) {
      return null;
    }
    ByteBuffer b = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    long word = b.getLong(start + 8);
    int count = Page.count(word);
    long elementsEnd = Pages.element(start, count);
    if (Page.flags(word) != Page.LEAF || elementsEnd > value.length) {
      return null;
    }
    LeafNode node = new LeafNode(count + 8, value.length + 512);
    for (int i = 0; i < count; i++) {
      int element = (int) Pages.element(start, i);
      long keyAt = element + (b.getInt(element + 4) & 0xFFFFFFFFL);
      int keyLength = b.getInt(element + 8);
      int valueLength = b.getInt(element + 12);
      if (keyLength <= 0
          || valueLength < 0
          || b.getInt(element) >>> 1 != 0
          || keyAt + keyLength + (long) valueLength > value.length) {
        return null;
      }
      int at = node.addData(value, (int) keyAt, keyLength + valueLength);
      node.insertRow(i, at, keyLength, valueLength, b.getInt(element));
    }
    return node.isOrdered() ? node : null;
  }

  /// Maps `key` to `value`; `found` is what [#search] said of the key.
  void put(int found, byte[] key, byte[] value, int flags) {
    if (found >= 0 && !isMapped(found) && value.length <= valueLength(found)) {
      overwriteValue(found, value, flags);
      return;
    }
    reserve(key.length + value.length);
    int at = addData(key, 0, key.length);
    addData(value, 0, value.length);
    if (found >= 0) {
      replaceRow(found, at, key.length, value.length, flags);
    } else {
      insertRow(-1 - found, at, key.length, value.length, flags);
    }
  }

  void append(byte[] key, byte[] value, int flags) {
    put(-1 - count, key, value, flags);
  }

  void remove(int i) {
    removeRows(i, i + 1);
    shrunk = true;
  }

  /// Moves the elements from `from` on to a new leaf. @return it
  LeafNode splitOff(int from) {
    LeafNode right = new LeafNode(count - from + 8, 512);
    long bytes = 0;
    for (int i = from; i < count; i++) {
      bytes += storedBytes(i);
    }
    right.reserve((int) Math.min(bytes * 2, 1 << 30));
    for (int i = from; i < count; i++) {
      right.appendRow(this, i);
    }
    removeRows(from, count);
    return right;
  }

  @Override
  boolean isSmall(long bytesMin) {
    return size <= bytesMin || count <= 1;
  }

  @Override
  void absorb(Node right) {
    reserve((int) right.storedBytes());
    for (int i = 0; i < right.count; i++) {
      appendRow(right, i);
    }
  }
}
