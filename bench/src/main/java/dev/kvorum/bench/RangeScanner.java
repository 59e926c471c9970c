package dev.kvorum.bench;

/// Counts the keys of an encoded RangeResponse that comes in pieces, without keeping any of it.
final class RangeScanner {
  private static final int KVS = 2;
  private static final int COUNT = 4;
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private enum Part {
    TAG,
    LENGTH,
    VALUE,
    CONTENT
  }

  private Part part = Part.TAG;
  private long number;
  private int shift;
  private int field;
  private long skipLeft;
  private long keys;
  private long count;
  private boolean malformed;

  void begin() {
    part = Part.TAG;
    number = 0;
    shift = 0;
    skipLeft = 0;
    keys = 0;
    count = 0;
    malformed = false;
  }

  void scan(byte[] bytes, int offset, int length) {
    int at = offset;
    int end = offset + length;
    while (at < end && !malformed) {
      if (part == Part.CONTENT) {
        long step = Math.min(end - at, skipLeft);
        at += (int) step;
        skipLeft -= step;
        part = skipLeft == 0 ? Part.TAG : Part.CONTENT;
      } else {
        onByte(bytes[at++]);
      }
    }
  }

  private void onByte(byte next) {
    number |= (long) (next & 0x7f) << shift;
    shift += 7;
    if (next >= 0) {
      long whole = number;
      number = 0;
      shift = 0;
      onNumber(whole);
    } else if (shift >= 70) {
      malformed = true;
    }
  }

  private void onNumber(long whole) {
    switch (part) {
      case TAG -> onTag((int) (whole >>> 3), (int) whole & 7);
      case LENGTH -> skip(whole);
      default -> {
        count = field == COUNT ? whole : count;
        part = Part.TAG;
      }
    }
  }

  private void onTag(int field, int wireType) {
    this.field = field;
    switch (wireType) {
      case VARINT -> part = Part.VALUE;
      case BYTES -> {
        part = Part.LENGTH;
        keys += field == KVS ? 1 : 0;
      }
      case FIXED64 -> skip(8);
      case FIXED32 -> skip(4);
      default -> malformed = true;
    }
  }

  private void skip(long length) {
    skipLeft = length;
    part = length == 0 ? Part.TAG : Part.CONTENT;
  }

  /// How many key-value pairs there were.
  long keys() {
    return keys;
  }

  /// The `count` the answer states.
  long count() {
    return count;
  }

  /// Whether the message ended where a message may end.
  boolean isWhole() {
    return part == Part.TAG && shift == 0 && !malformed;
  }
}
