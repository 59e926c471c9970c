package dev.kvorum.wal;

import dev.kvorum.env.Bytes;
import java.util.Arrays;

/// Reads protobuf fields from a range of an array it does not own. Unknown fields are skipped, as protobuf demands;
/// whatever runs past the end is refused before it is believed.
final class ProtoReader {
  private final byte[] array;
  private int position;
  private final int end;
  private int wireType;

  ProtoReader(byte[] array, int start, int end) {
    this.array = array;
    this.position = start;
    this.end = end;
  }

  ProtoReader(byte[] array) {
    this(array, 0, array.length);
  }

  /// The number of the next field, or 0 at the end.
  int next() throws MalformedException {
    if (position == end) {
      return 0;
    }
    long tag = varint();
    wireType = (int) (tag & 7);
    long field = tag >>> 3;
    if (field < 1 || field > 0x1FFF_FFFF) {
      throw new MalformedException("proto: illegal field number");
    }
    return (int) field;
  }

  private long varint() throws MalformedException {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (position == end) {
        throw new MalformedException("proto: unexpected end");
      }
      byte b = array[position++];
      value |= (long) (b & 0x7F) << shift;
      if (b >= 0) {
        if (shift == 63 && b > 1) {
          break;
        }
        return value;
      }
    }
    throw new MalformedException("proto: varint overflows 64 bits");
  }

  /// The value of a varint field.
  long uint64() throws MalformedException {
    expect(ProtoWriter.VARINT);
    return varint();
  }

  /// The value of an enum field as its number; protobuf truncates to 32 bits.
  int number() throws MalformedException {
    return (int) uint64();
  }

  boolean bool() throws MalformedException {
    return uint64() != 0;
  }

  /// The length of a length-delimited field, known to lie within this range.
  private int length() throws MalformedException {
    expect(ProtoWriter.BYTES);
    long length = varint();
    if (length < 0 || length > end - position) {
      throw new MalformedException("proto: field of " + Long.toUnsignedString(length) + " bytes runs past the end");
    }
    return (int) length;
  }

  /// A copy of a bytes field.
  Bytes bytes() throws MalformedException {
    int length = length();
    int start = position;
    position += length;
    return length == 0 ? Bytes.EMPTY : Bytes.wrap(Arrays.copyOfRange(array, start, position));
  }

  /// A reader of a nested message.
  ProtoReader message() throws MalformedException {
    int length = length();
    int start = position;
    position += length;
    return new ProtoReader(array, start, position);
  }

  /// One element of a repeated varint field, or a packed run of them.
  void uint64s(java.util.List<Long> into) throws MalformedException {
    if (wireType == ProtoWriter.VARINT) {
      into.add(varint());
      return;
    }
    ProtoReader packed = message();
    while (packed.position < packed.end) {
      into.add(packed.varint());
    }
  }

  void skip() throws MalformedException {
    switch (wireType) {
      case 0 -> varint();
      case 1 -> advance(8);
      case 2 -> message();
      case 5 -> advance(4);
      default -> throw new MalformedException("proto: wire type " + wireType);
    }
  }

  private void advance(int bytes) throws MalformedException {
    if (bytes > end - position) {
      throw new MalformedException("proto: unexpected end");
    }
    position += bytes;
  }

  private void expect(int type) throws MalformedException {
    if (wireType != type) {
      throw new MalformedException("proto: wire type " + wireType + " where " + type + " belongs");
    }
  }

  byte[] array() {
    return array;
  }

  int position() {
    return position;
  }

  int end() {
    return end;
  }
}
