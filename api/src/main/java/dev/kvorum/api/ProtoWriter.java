package dev.kvorum.api;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/// Writes one protobuf message by hand, for what is too hot for generated classes. [ProtoReader] is its other half.
///
/// It writes what protobuf-java would write for the same fields in the same order: call the methods in ascending field
/// number and the bytes are equal. Fields holding their default are left out, as proto3 does; the `Always` variants
/// write them, for oneofs and proto2. Sub-messages are opened and closed; their length is patched in afterwards, so
/// nothing is measured twice:
///
/// ```java
/// ProtoWriter w = new ProtoWriter(64);
/// int header = w.open(RangeResponse.HEADER_FIELD_NUMBER);
/// w.number(ResponseHeader.REVISION_FIELD_NUMBER, revision);
/// w.close(header);
/// w.splice(RangeResponse.KVS_FIELD_NUMBER, storedKeyValue);
/// w.number(RangeResponse.COUNT_FIELD_NUMBER, 1);
/// Encoded answer = w.finish();
/// ```
///
/// [#splice] threads bytes that are encoded already into the message: long ones by reference, short ones by copy, since
/// a slice costs more to carry than [#SPLICE_BYTES_MIN] bytes cost to copy. Not thread-safe; good for one message.
///
/// A message whose size is cheap to tell beforehand is written into one array of exactly that size: begin with
/// [#measured], open sub-messages with [#head]. For each method that writes a field there is one of the same name that
/// tells its size. A wrong measure is our bug, found when finishing.
public final class ProtoWriter {
  /// Shorter splices are copied.
  public static final int SPLICE_BYTES_MIN = 512;

  private static final int VARINT_BYTES_MAX = 10;
  /// What a tag and a length take at most.
  private static final int HEAD_BYTES_MAX = 10;
  private static final int NUMBER_BYTES_MAX = 5 + VARINT_BYTES_MAX;
  private static final int UNMEASURED = -1;
  private static final int[] NO_INTS = new int[0];
  private static final byte[][] NO_ARRAYS = new byte[0][];

  private final int measuredBytes;

  private byte[] buffer;
  private int position;
  private int depth;
  /// Bytes spliced by reference so far; they count for lengths but are not in `buffer`.
  private int splicedBytes;
  private int spliceCount;
  private byte[][] spliceArrays = NO_ARRAYS;
  private int[] spliceOffsets = NO_INTS;
  private int[] spliceLengths = NO_INTS;
  /// Where in `buffer` each splice goes, ascending.
  private int[] splicePositions = NO_INTS;
  /// Per open sub-message: `splicedBytes` when it was opened.
  private int[] splicedAtOpen = NO_INTS;

  /// `capacityBytes` is a guess at the size without splices; the buffer grows when it is wrong.
  public ProtoWriter(int capacityBytes) {
    this(capacityBytes, UNMEASURED);
  }

  private ProtoWriter(int capacityBytes, int measuredBytes) {
    this.buffer = new byte[capacityBytes];
    this.measuredBytes = measuredBytes;
  }

  /// A writer of a message of exactly `sizeBytes`: it never grows, and [#toByteArray] copies nothing.
  ///
  /// Finishing throws [IllegalStateException] when the size was wrong.
  public static ProtoWriter measured(int sizeBytes) {
    return new ProtoWriter(sizeBytes, sizeBytes);
  }

  /// An int32, int64, uint32, uint64 or enum field; nothing when zero. Unsigned values are passed by their bits, int32
  /// sign-extended.
  public void number(int field, long value) {
    if (value != 0) {
      numberAlways(field, value);
    }
  }

  public void numberAlways(int field, long value) {
    if (buffer.length - position < NUMBER_BYTES_MAX) {
      ensure(numberAlwaysSize(field, value));
    }
    putVarint((long) field << 3 | ProtoReader.VARINT);
    putVarint(value);
  }

  /// A bool field; nothing when false.
  public void flag(int field, boolean value) {
    if (value) {
      numberAlways(field, 1);
    }
  }

  /// A bytes field, copied; nothing when empty.
  public void bytes(int field, byte[] value) {
    if (value.length > 0) {
      bytesAlways(field, value, 0, value.length);
    }
  }

  public void bytesAlways(int field, byte[] array, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, array.length);
    head(field, length);
    System.arraycopy(array, offset, buffer, position, length);
    position += length;
  }

  /// A bytes field or an encoded sub-message out of (mapped) memory, copied.
  public void bytesAlways(int field, MemorySegment segment, long offset, int length) {
    head(field, length);
    MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, offset, buffer, position, length);
    position += length;
  }

  /// A string field; nothing when empty.
  public void text(int field, String value) {
    if (!value.isEmpty()) {
      bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }
  }

  /// Begins a sub-message or bytes field whose content is known to take `length` bytes; write those next.
  public void head(int field, int length) {
    if (buffer.length - position - HEAD_BYTES_MAX < length) {
      ensure(bytesAlwaysSize(field, length));
    }
    putVarint((long) field << 3 | ProtoReader.LENGTH_DELIMITED);
    putVarint(length);
  }

  /// Begins a sub-message; hand the result to [#close].
  public int open(int field) {
    long tag = (long) field << 3 | ProtoReader.LENGTH_DELIMITED;
    ensure(varintSize(tag) + 1);
    putVarint(tag);
    int mark = position++;
    if (depth == splicedAtOpen.length) {
      splicedAtOpen = Arrays.copyOf(splicedAtOpen, Math.max(4, depth * 2));
    }
    splicedAtOpen[depth++] = splicedBytes;
    return mark;
  }

  /// Ends the sub-message opened last. One byte was kept for its length; when that is too few, what was written since
  /// moves up.
  public void close(int mark) {
    int length = position - mark - 1 + splicedBytes - splicedAtOpen[--depth];
    int more = varintSize(length) - 1;
    if (more > 0) {
      ensure(more);
      System.arraycopy(buffer, mark + 1, buffer, mark + 1 + more, position - mark - 1);
      for (int i = spliceCount - 1; i >= 0 && splicePositions[i] > mark; i--) {
        splicePositions[i] += more;
      }
    }
    int end = position + more;
    position = mark;
    putVarint(length);
    position = end;
  }

  /// A sub-message or bytes field whose content is `array`; kept by reference when long, so never write to it again.
  public void splice(int field, byte[] array) {
    splice(field, array, 0, array.length);
  }

  public void splice(int field, byte[] array, int offset, int length) {
    if (length < SPLICE_BYTES_MIN) {
      bytesAlways(field, array, offset, length);
      return;
    }
    Objects.checkFromIndexSize(offset, length, array.length);
    ensure(HEAD_BYTES_MAX);
    putVarint((long) field << 3 | ProtoReader.LENGTH_DELIMITED);
    putVarint(length);
    reference(array, offset, length);
  }

  /// Fields that are encoded already, tags included, appended to the message (or open sub-message) being written.
  public void append(byte[] array, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, array.length);
    if (length < SPLICE_BYTES_MIN) {
      ensure(length);
      System.arraycopy(array, offset, buffer, position, length);
      position += length;
    } else {
      reference(array, offset, length);
    }
  }

  /// The same of what is encoded already in several slices.
  public void append(Encoded fields) {
    fields.appendTo(this);
  }

  /// Bytes written so far, splices included.
  public int size() {
    return position + splicedBytes;
  }

  /// The message. The writer must not be used afterwards: its buffer is part of the result.
  public Encoded finish() {
    requireWhole();
    if (spliceCount == 0) {
      return Encoded.wrap(buffer, 0, position);
    }
    int slices = 2 * spliceCount + 1;
    byte[][] arrays = new byte[slices][];
    int[] offsets = new int[slices];
    int[] lengths = new int[slices];
    int count = 0;
    int from = 0;
    for (int i = 0; i < spliceCount; i++) {
      int to = splicePositions[i];
      if (to > from) {
        arrays[count] = buffer;
        offsets[count] = from;
        lengths[count++] = to - from;
        from = to;
      }
      arrays[count] = spliceArrays[i];
      offsets[count] = spliceOffsets[i];
      lengths[count++] = spliceLengths[i];
    }
    if (position > from) {
      arrays[count] = buffer;
      offsets[count] = from;
      lengths[count++] = position - from;
    }
    return new Encoded(
        Arrays.copyOf(arrays, count), Arrays.copyOf(offsets, count), Arrays.copyOf(lengths, count), size());
  }

  /// What [#finish] holds, in one array of its size; copied unless it was [#measured].
  public byte[] toByteArray() {
    if (spliceCount > 0) {
      return finish().toByteArray();
    }
    requireWhole();
    return position == buffer.length ? buffer : Arrays.copyOf(buffer, position);
  }

  private void requireWhole() {
    if (depth != 0) {
      throw new IllegalStateException(depth + " sub-messages are still open");
    }
    if (measuredBytes != UNMEASURED && size() != measuredBytes) {
      throw new IllegalStateException("measured " + measuredBytes + " bytes, wrote " + size());
    }
  }

  /// Bytes a varint takes, 1 to 10; negative numbers take 10.
  public static int varintSize(long value) {
    return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
  }

  public static int numberSize(int field, long value) {
    return value == 0 ? 0 : numberAlwaysSize(field, value);
  }

  public static int numberAlwaysSize(int field, long value) {
    return varintSize((long) field << 3) + varintSize(value);
  }

  public static int flagSize(int field, boolean value) {
    return value ? numberAlwaysSize(field, 1) : 0;
  }

  /// @param length what [#bytes] will be given
  public static int bytesSize(int field, int length) {
    return length == 0 ? 0 : bytesAlwaysSize(field, length);
  }

  /// Also of a sub-message whose content takes `length` bytes, its [#head] included.
  ///
  /// @throws ArithmeticException when it does not fit an array
  public static int bytesAlwaysSize(int field, int length) {
    return Math.addExact(varintSize((long) field << 3) + varintSize(length), length);
  }

  /// Puts `value` as a varint into an array, for those who need no more. @return the position behind it
  public static int putVarint(byte[] target, int at, long value) {
    int next = at;
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      target[next++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    target[next++] = (byte) rest;
    return next;
  }

  private void reference(byte[] array, int offset, int length) {
    if (spliceCount == spliceArrays.length) {
      int capacity = Math.max(4, spliceCount * 2);
      spliceArrays = Arrays.copyOf(spliceArrays, capacity);
      spliceOffsets = Arrays.copyOf(spliceOffsets, capacity);
      spliceLengths = Arrays.copyOf(spliceLengths, capacity);
      splicePositions = Arrays.copyOf(splicePositions, capacity);
    }
    spliceArrays[spliceCount] = array;
    spliceOffsets[spliceCount] = offset;
    spliceLengths[spliceCount] = length;
    splicePositions[spliceCount++] = position;
    splicedBytes = Math.addExact(splicedBytes, length);
  }

  private void putVarint(long value) {
    position = putVarint(buffer, position, value);
  }

  private void ensure(int more) {
    int needed = Math.addExact(position, more);
    if (needed > buffer.length) {
      int doubled = buffer.length > Integer.MAX_VALUE / 2 - 8 ? Integer.MAX_VALUE - 8 : buffer.length * 2;
      buffer = Arrays.copyOf(buffer, Math.max(needed, doubled));
    }
  }
}
