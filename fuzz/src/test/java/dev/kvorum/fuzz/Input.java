package dev.kvorum.fuzz;

import java.util.Arrays;

/// An input read front to back. Past its end everything is zero, so that every input means something.
final class Input {
  private static final byte[] NONE = {};

  private final byte[] bytes;
  private int position;

  Input(byte[] bytes) {
    this.bytes = bytes;
  }

  boolean atEnd() {
    return position >= bytes.length;
  }

  /// 0 to 255.
  int u8() {
    return atEnd() ? 0 : bytes[position++] & 0xFF;
  }

  /// Big-endian.
  int u16() {
    return u8() << 8 | u8();
  }

  /// Big-endian.
  long u64() {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      value = value << 8 | u8();
    }
    return value;
  }

  /// At most `length` bytes: fewer at the end.
  byte[] bytes(int length) {
    if (atEnd()) {
      return NONE;
    }
    int from = position;
    position = Math.min(bytes.length, position + length);
    return Arrays.copyOfRange(bytes, from, position);
  }

  byte[] rest() {
    return bytes(bytes.length);
  }
}
