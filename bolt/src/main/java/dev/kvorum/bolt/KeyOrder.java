package dev.kvorum.bolt;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The order of keys: bytewise, unsigned, a prefix before what it begins.
///
/// Eight bytes are compared at a time as one big-endian number; the JDK's own mismatch search costs more to start
/// than a key of 17 bytes takes.
final class KeyOrder {
  private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong SEGMENT_WORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private KeyOrder() {}

  /// Negative, zero or positive as the run of `a` is below, equal to or above `b`.
  static int compare(byte[] a, int aAt, int aLength, byte[] b, int bAt, int bLength) {
    int shared = Math.min(aLength, bLength);
    int i = 0;
    for (; i + 8 <= shared; i += 8) {
      long x = (long) WORD.get(a, aAt + i);
      long y = (long) WORD.get(b, bAt + i);
      if (x != y) {
        return Long.compareUnsigned(x, y);
      }
    }
    for (; i < shared; i++) {
      int difference = (a[aAt + i] & 0xff) - (b[bAt + i] & 0xff);
      if (difference != 0) {
        return difference;
      }
    }
    return aLength - bLength;
  }

  static int compare(MemorySegment a, long aAt, int aLength, byte[] b) {
    int shared = Math.min(aLength, b.length);
    int i = 0;
    for (; i + 8 <= shared; i += 8) {
      long x = a.get(SEGMENT_WORD, aAt + i);
      long y = (long) WORD.get(b, i);
      if (x != y) {
        return Long.compareUnsigned(x, y);
      }
    }
    for (; i < shared; i++) {
      int difference = (a.get(ValueLayout.JAVA_BYTE, aAt + i) & 0xff) - (b[i] & 0xff);
      if (difference != 0) {
        return difference;
      }
    }
    return aLength - b.length;
  }

  /// Of two keys in one segment.
  static int compare(MemorySegment map, long aAt, int aLength, long bAt, int bLength) {
    int shared = Math.min(aLength, bLength);
    int i = 0;
    for (; i + 8 <= shared; i += 8) {
      long x = map.get(SEGMENT_WORD, aAt + i);
      long y = map.get(SEGMENT_WORD, bAt + i);
      if (x != y) {
        return Long.compareUnsigned(x, y);
      }
    }
    for (; i < shared; i++) {
      int difference =
          (map.get(ValueLayout.JAVA_BYTE, aAt + i) & 0xff) - (map.get(ValueLayout.JAVA_BYTE, bAt + i) & 0xff);
      if (difference != 0) {
        return difference;
      }
    }
    return aLength - bLength;
  }
}
