package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A cursor over the fields of one protobuf message inside a byte array: for what is too hot for generated classes.
///
/// Read [#next] until it answers 0, then the value by the field's type, or [#skip]. A sub-message is entered with
/// [#enter] and left with [#leave], which takes the cursor to its end.
final class ProtoReader {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int LENGTH_DELIMITED = 2;
  static final int START_GROUP = 3;
  static final int END_GROUP = 4;
  static final int FIXED32 = 5;

  private final byte[] bytes;
  private int position;
  private int limit;
  private int tag;

  ProtoReader(byte[] bytes) {
    this.bytes = bytes;
    this.limit = bytes.length;
  }

  /// Moves to the next field. @return its number, or 0 at the end of the message
  int next() throws WireFormatException {
    if (position == limit) {
      return 0;
    }
    long read = varint();
    int field = (int) (read >>> 3);
    if (read >>> 32 != 0 || field == 0) {
      throw malformed("illegal tag");
    }
    tag = (int) read;
    return field;
  }

  int wireType() {
    return tag & 7;
  }

  /// True when the field just met has wire type `type`. A known number with another type is an unknown field.
  boolean is(int type) {
    return (tag & 7) == type;
  }

  long varint() throws WireFormatException {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (position == limit) {
        throw malformed("a varint is cut off");
      }
      byte b = bytes[position++];
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw malformed("a varint is longer than ten bytes");
  }

  boolean flag() throws WireFormatException {
    return varint() != 0;
  }

  int enumNumber() throws WireFormatException {
    return (int) varint();
  }

  /// A copy of the field's bytes: keys and values outlive the message that brought them.
  Bytes bytes() throws WireFormatException {
    int length = length();
    int start = position;
    position += length;
    return length == 0 ? Bytes.EMPTY : Bytes.wrap(Arrays.copyOfRange(bytes, start, position));
  }

  /// @throws WireFormatException when the bytes are not UTF-8, which proto3 forbids
  String text() throws WireFormatException {
    int length = length();
    int start = position;
    position += length;
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, start, length)).toString();
    } catch (CharacterCodingException _) {
      throw malformed("a string field contains invalid UTF-8");
    }
  }

  /// Narrows the cursor to the sub-message just met. @return what to hand to [#leave]
  int enter() throws WireFormatException {
    int length = length();
    int outer = limit;
    limit = position + length;
    return outer;
  }

  void leave(int outer) {
    position = limit;
    limit = outer;
  }

  /// Passes over the field just met, whatever it is.
  void skip() throws WireFormatException {
    switch (tag & 7) {
      case VARINT -> varint();
      case FIXED64 -> advance(8);
      case LENGTH_DELIMITED -> advance(length());
      case FIXED32 -> advance(4);
      case START_GROUP -> skipGroup(tag >>> 3);
      default -> throw malformed("illegal wire type");
    }
  }

  private void skipGroup(int field) throws WireFormatException {
    // Groups may nest; an explicit count keeps hostile nesting off the stack. Only the outermost end is matched.
    int depth = 1;
    while (depth > 0) {
      int inner = next();
      if (inner == 0) {
        throw malformed("a group does not end");
      }
      switch (tag & 7) {
        case START_GROUP -> depth++;
        case END_GROUP -> depth--;
        default -> skip();
      }
      if (depth == 0 && inner != field) {
        throw malformed("a group ends as another");
      }
    }
  }

  private int length() throws WireFormatException {
    long length = varint();
    if (length < 0 || length > limit - position) {
      throw malformed("a field reaches past the end of its message");
    }
    return (int) length;
  }

  private void advance(int count) throws WireFormatException {
    if (count > limit - position) {
      throw malformed("a field reaches past the end of its message");
    }
    position += count;
  }

  private WireFormatException malformed(String what) {
    return new WireFormatException(what + " (at byte " + position + ")");
  }
}
