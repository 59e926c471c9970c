package dev.kvorum.state.keys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/// How many bytes each number of a leaf's rows takes: as many as the largest of the leaf needs, none when all are zero.
///
/// A row says of one key where its text ends and what its newest revision is:
/// ```
///  end │ main │ sub │ age = main - created │ changes = |version| - 1 │ older revisions known
///   1     4      0     0                      0                         0        a leaf of keys put once
///   1     4      0     4                      1                         0        … put again, and compacted
/// ```
/// A number is read as eight bytes and masked, so rows have eight bytes of room behind the last. Immutable; those of one
/// index with the same widths are the same object ([Catalogue]).
final class RowLayout {
  static final int FIELDS = 6;

  /// Behind the last row, so that its numbers can be read like all others.
  static final int ROOM = Long.BYTES;

  private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int WIDTH_BITS = 4;

  /// Four bits for each field's width, the first lowest.
  final int widths;

  final int stride;
  private final int mainAt;
  private final int subAt;
  private final int ageAt;
  private final int changesAt;
  private final int olderAt;
  private final long endMask;
  private final long mainMask;
  private final long subMask;
  private final long ageMask;
  private final long changesMask;
  private final long olderMask;

  private RowLayout(int widths) {
    this.widths = widths;
    this.mainAt = width(widths, 0);
    this.subAt = mainAt + width(widths, 1);
    this.ageAt = subAt + width(widths, 2);
    this.changesAt = ageAt + width(widths, 3);
    this.olderAt = changesAt + width(widths, 4);
    this.stride = olderAt + width(widths, 5);
    this.endMask = mask(width(widths, 0));
    this.mainMask = mask(width(widths, 1));
    this.subMask = mask(width(widths, 2));
    this.ageMask = mask(width(widths, 3));
    this.changesMask = mask(width(widths, 4));
    this.olderMask = mask(width(widths, 5));
  }

  private static int width(int widths, int field) {
    return widths >>> field * WIDTH_BITS & 0xf;
  }

  private static long mask(int width) {
    return width == 0 ? 0 : -1L >>> Long.SIZE - Byte.SIZE * width;
  }

  /// The widths needed for one number of field `field`.
  private static int widthOf(int field, long value) {
    return (Long.SIZE - Long.numberOfLeadingZeros(value) + Byte.SIZE - 1) / Byte.SIZE << field * WIDTH_BITS;
  }

  /// The widths that a row of these contents needs.
  static int widthsFor(long end, KeyEntry entry) {
    return widthOf(0, end)
        | widthOf(1, entry.main())
        | widthOf(2, entry.sub())
        | widthOf(3, entry.main() - entry.created())
        | widthOf(4, Math.abs(entry.version()) - 1)
        | widthOf(5, entry.last());
  }

  /// Widths enough for both.
  static int wider(int a, int b) {
    int wider = 0;
    for (int field = 0; field < FIELDS; field++) {
      wider |= Math.max(width(a, field), width(b, field)) << field * WIDTH_BITS;
    }
    return wider;
  }

  byte[] rows(int count) {
    return new byte[count * stride + ROOM];
  }

  boolean fits(long end, KeyEntry entry) {
    return (end & ~endMask) == 0
        && (entry.main() & ~mainMask) == 0
        && (entry.sub() & ~subMask) == 0
        && (entry.main() - entry.created() & ~ageMask) == 0
        && (Math.abs(entry.version()) - 1 & ~changesMask) == 0
        && (entry.last() & ~olderMask) == 0;
  }

  boolean fitsEnd(long end) {
    return (end & ~endMask) == 0;
  }

  int end(byte[] rows, int row) {
    return (int) ((long) LONG.get(rows, row * stride) & endMask);
  }

  long main(byte[] rows, int row) {
    return (long) LONG.get(rows, row * stride + mainAt) & mainMask;
  }

  int sub(byte[] rows, int row) {
    return (int) ((long) LONG.get(rows, row * stride + subAt) & subMask);
  }

  long age(byte[] rows, int row) {
    return (long) LONG.get(rows, row * stride + ageAt) & ageMask;
  }

  long changes(byte[] rows, int row) {
    return (long) LONG.get(rows, row * stride + changesAt) & changesMask;
  }

  int older(byte[] rows, int row) {
    return (int) ((long) LONG.get(rows, row * stride + olderAt) & olderMask);
  }

  void end(byte[] rows, int row, int end) {
    write(rows, row * stride, endMask, end);
  }

  /// All but the end.
  void write(byte[] rows, int row, KeyEntry entry) {
    int at = row * stride;
    write(rows, at + mainAt, mainMask, entry.main());
    write(rows, at + subAt, subMask, entry.sub());
    write(rows, at + ageAt, ageMask, entry.main() - entry.created());
    write(rows, at + changesAt, changesMask, Math.abs(entry.version()) - 1);
    write(rows, at + olderAt, olderMask, entry.last());
  }

  private static void write(byte[] rows, int at, long mask, long value) {
    LONG.set(rows, at, (long) LONG.get(rows, at) & ~mask | value);
  }

  /// The layouts of one index. Its owner's.
  static final class Catalogue {
    private final Map<Integer, RowLayout> byWidths = new HashMap<>();

    RowLayout of(int widths) {
      return byWidths.computeIfAbsent(widths, RowLayout::new);
    }
  }
}
