package dev.kvorum.bench;

/// Steps over the fields of an encoded protobuf message without decoding them.
final class WireReader {
  private final byte[] bytes;
  private final int limit;
  private int next;
  private int field;
  private int offset;
  private int end;

  /// The message is `bytes[from]` up to but without `bytes[to]`.
  WireReader(byte[] bytes, int from, int to) {
    this.bytes = bytes;
    this.next = from;
    this.limit = to;
  }

  /// Moves to the next field; false at the end.
  boolean next() {
    if (next >= limit) {
      return false;
    }
    long tag = varint();
    field = (int) (tag >>> 3);
    offset = next;
    switch ((int) tag & 7) {
      case 0 -> varint();
      case 1 -> next += 8;
      case 2 -> {
        int length = (int) varint();
        offset = next;
        next += length;
      }
      case 5 -> next += 4;
      default -> throw new IllegalArgumentException("wire type " + (tag & 7) + " at " + offset);
    }
    end = next;
    return true;
  }

  int field() {
    return field;
  }

  /// Where the content of the field begins.
  int offset() {
    return offset;
  }

  int end() {
    return end;
  }

  static long longAt(byte[] bytes, int at) {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      value = value << 8 | bytes[at + i] & 0xff;
    }
    return value;
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte octet = bytes[next++];
      value |= (long) (octet & 0x7f) << shift;
      if (octet >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a varint of more than ten bytes");
  }
}
