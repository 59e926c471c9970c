package dev.kvorum.api;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongConsumer;

/// A cursor over the fields of one protobuf message inside an array it does not own, for what is too hot for generated
/// classes. [ProtoWriter] is its other half.
///
/// Call [#next] until it answers 0, and after each either read the value by the field's type or [#skip] it. A
/// sub-message is entered with [#enter] and left with [#leave], so that nesting allocates nothing:
///
/// ```java
/// for (int field = in.next(); field != 0; field = in.next()) {
///   switch (field) {
///     case 1 -> term = in.number();
///     case 2 -> {
///       int outer = in.enter();
///       metadata = metadata(in);
///       in.leave(outer);
///     }
///     default -> in.skip();
///   }
/// }
/// ```
///
/// A value read as what its wire type is not is refused. Where a known number with another type shall pass as an
/// unknown field, as protobuf has it for clients' messages, ask [#is] first. Whatever runs past the end is refused
/// before anything is allocated for it; varints beyond 64 bits are refused as Go's protobuf does, though Java's cuts
/// them. Not thread-safe.
public final class ProtoReader {
  public static final int VARINT = 0;
  public static final int FIXED64 = 1;
  public static final int LENGTH_DELIMITED = 2;
  public static final int START_GROUP = 3;
  public static final int END_GROUP = 4;
  public static final int FIXED32 = 5;

  private static final byte[] NONE = new byte[0];

  private final byte[] array;
  private int position;
  private int limit;
  private int tag;

  public ProtoReader(byte[] array) {
    this.array = array;
    this.limit = array.length;
  }

  /// Reads the message that lies in `array` from `start` up to, not including, `end`.
  public ProtoReader(byte[] array, int start, int end) {
    Objects.checkFromToIndex(start, end, array.length);
    this.array = array;
    this.position = start;
    this.limit = end;
  }

  /// Moves to the next field. @return its number, or 0 at the end of the message
  public int next() throws WireFormatException {
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

  /// True when the field just met has wire type `type`, one of the constants here.
  public boolean is(int type) {
    return (tag & 7) == type;
  }

  /// An int32, int64, uint32 or uint64 field, by its bits.
  public long number() throws WireFormatException {
    expect(VARINT);
    return varint();
  }

  /// The number of an enum's value; protobuf cuts it to 32 bits.
  public int enumNumber() throws WireFormatException {
    return (int) number();
  }

  public boolean flag() throws WireFormatException {
    return number() != 0;
  }

  /// One element of a repeated number field, or a packed run of them.
  public void numbers(LongConsumer each) throws WireFormatException {
    if (is(VARINT)) {
      each.accept(varint());
      return;
    }
    int outer = enter();
    while (position < limit) {
      each.accept(varint());
    }
    leave(outer);
  }

  /// A copy of a bytes field: keys and values outlive the message that brought them. Empty ones share an array.
  public byte[] bytes() throws WireFormatException {
    int length = length();
    int start = position;
    position += length;
    return length == 0 ? NONE : Arrays.copyOfRange(array, start, position);
  }

  /// @throws WireFormatException also when the bytes are not UTF-8, which proto3 forbids
  public String text() throws WireFormatException {
    int length = length();
    int start = position;
    position += length;
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(array, start, length)).toString();
    } catch (CharacterCodingException _) {
      throw malformed("a string field contains invalid UTF-8");
    }
  }

  /// Narrows the cursor to the sub-message, or the content of the bytes field, just met: from [#position] to [#limit].
  ///
  /// @return what to hand to [#leave]
  public int enter() throws WireFormatException {
    int length = length();
    int outer = limit;
    limit = position + length;
    return outer;
  }

  /// Goes on behind what was entered last, read to its end or not.
  public void leave(int outer) {
    position = limit;
    limit = outer;
  }

  /// Where in the array the cursor stands.
  public int position() {
    return position;
  }

  /// Where in the array the message, or what was entered last, ends.
  public int limit() {
    return limit;
  }

  /// Passes over the field just met, whatever it is.
  public void skip() throws WireFormatException {
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

  private long varint() throws WireFormatException {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (position == limit) {
        throw malformed("a varint is cut off");
      }
      byte b = array[position++];
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        if (shift == 63 && b > 1) {
          break;
        }
        return value;
      }
    }
    throw malformed("a varint is longer than 64 bits");
  }

  private int length() throws WireFormatException {
    expect(LENGTH_DELIMITED);
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

  private void expect(int type) throws WireFormatException {
    if (!is(type)) {
      throw malformed("wire type " + (tag & 7) + " where " + type + " belongs");
    }
  }

  private WireFormatException malformed(String what) {
    return new WireFormatException("proto: " + what + " (at byte " + position + ")");
  }
}
