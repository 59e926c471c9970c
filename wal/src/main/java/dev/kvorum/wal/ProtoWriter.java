package dev.kvorum.wal;

import dev.kvorum.env.Invariant;
import dev.kvorum.raft.Entry;

/// Writes protobuf fields into an array of exactly the right size: sizes are computed first, nothing is copied twice.
final class ProtoWriter {
  static final int VARINT = 0;
  static final int BYTES = 2;

  private final byte[] array;
  private int position;

  ProtoWriter(int size) {
    array = new byte[size];
  }

  /// @throws dev.kvorum.env.InvariantViolation when the size computed before was wrong
  byte[] finish() {
    Invariant.check(position == array.length, "encoded size differs from computed size");
    return array;
  }

  /// The size of a varint; `value` is unsigned.
  static int sizeOf(long value) {
    return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
  }

  /// The size of a varint field with a one-byte tag.
  static int fieldSize(long value) {
    return 1 + sizeOf(value);
  }

  /// The size of a length-delimited field with a one-byte tag.
  static int bytesSize(int length) {
    return 1 + sizeOf(length) + length;
  }

  /// Puts an unsigned varint at `at`. @return the position behind it
  static int putVarint(byte[] target, int at, long value) {
    while ((value & ~0x7FL) != 0) {
      target[at++] = (byte) (value | 0x80);
      value >>>= 7;
    }
    target[at++] = (byte) value;
    return at;
  }

  void varint(int field, long value) {
    array[position++] = (byte) (field << 3 | VARINT);
    position = putVarint(array, position, value);
  }

  /// Nothing when `value` is 0.
  void varintUnlessZero(int field, long value) {
    if (value != 0) {
      varint(field, value);
    }
  }

  void bool(int field, boolean value) {
    varint(field, value ? 1 : 0);
  }

  /// The head of a length-delimited field; the caller writes `length` bytes next.
  void head(int field, int length) {
    array[position++] = (byte) (field << 3 | BYTES);
    position = putVarint(array, position, length);
  }

  void bytes(int field, byte[] value) {
    head(field, value.length);
    System.arraycopy(value, 0, array, position, value.length);
    position += value.length;
  }

  void entry(Entry entry) {
    position = RaftCodec.put(entry, array, position);
  }

  static int fieldSizeUnlessZero(long value) {
    return value == 0 ? 0 : fieldSize(value);
  }
}
