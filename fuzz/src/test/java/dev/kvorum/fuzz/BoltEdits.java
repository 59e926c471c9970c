package dev.kvorum.fuzz;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/// A script of edits to one of the valid files: the fuzzer's way to a page's header, an element or a meta page without
/// having to guess where they lie.
///
/// ```text
/// input = file edit*     edit = operation operands…     see [#edit]
/// ```
final class BoltEdits {
  private static final int HEADER_BYTES = 16;
  private static final int ELEMENT_BYTES = 16;

  private static final long[] NUMBERS = {
    0, 1, 2, 3, 4, 7, -1, -2, 0xFFFE, 0xFFFF, 0x10, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL, 1L << 40, 1L << 47,
    (1L << 48) - 1, 1L << 48, Long.MAX_VALUE, Long.MIN_VALUE, 512, 1024, 4096, 1 << 24, 32768, 32769, 16, 64
  };

  private final Input in;
  private final int pageSize;
  private byte[] file;
  private ByteBuffer words;

  private BoltEdits(Input in, byte[] file) {
    this.in = in;
    this.file = file;
    this.words = BoltFiles.little(file);
    this.pageSize = words.getInt(BoltFiles.META_AT + 8);
  }

  /// The file that `in` describes. Its metas are sealed unless the first byte says otherwise.
  static byte[] apply(Input in, List<byte[]> bases) {
    int first = in.u8();
    BoltEdits edits = new BoltEdits(in, bases.get((first & 0x7F) % bases.size()).clone());
    for (int i = 0; i < 64 && !in.atEnd(); i++) {
      edits.edit();
    }
    if (first < 0x80) {
      BoltFiles.sealMeta(edits.file, 0);
      BoltFiles.sealMeta(edits.file, edits.pageSize);
    }
    return edits.file;
  }

  private void edit() {
    switch (in.u8() % 10) {
      case 0 -> header(page());
      case 1, 2 -> element(page());
      case 3 -> meta();
      case 4 -> set(at(in.u16() * 7), 1, in.u8());
      case 5 -> set(page() + (in.u8() * 8 % pageSize), 8, number(0));
      case 6 -> copyPage(page(), page(), in.u8());
      case 7 -> resize(Arrays.copyOf(file, page() + (in.u8() < 128 ? 0 : in.u8())));
      case 8 -> resize(Arrays.copyOf(file, Math.min(file.length + pageSize, 1 << 16)));
      default -> bucket(page());
    }
  }

  private void resize(byte[] other) {
    if (other.length >= 2 * pageSize) {
      file = other;
      words = BoltFiles.little(file);
    }
  }

  private int pages() {
    return file.length / pageSize;
  }

  private int page() {
    return in.u8() % pages() * pageSize;
  }

  private int at(int wanted) {
    return wanted % file.length;
  }

  private void header(int page) {
    switch (in.u8() % 4) {
      case 0 -> set(page, 8, number(words.getLong(page)));
      case 1 -> set(page + 8, 2, number(words.getShort(page + 8)));
      case 2 -> set(page + 10, 2, number(words.getShort(page + 10)));
      default -> set(page + 12, 4, number(words.getInt(page + 12)));
    }
  }

  private void element(int page) {
    int count = Math.max(1, words.getShort(page + 10) & 0xFFFF);
    int at = page + HEADER_BYTES + in.u8() % count * ELEMENT_BYTES + in.u8() % 4 * 4;
    set(at, 4, number(at + 4 <= file.length ? words.getInt(at) : 0));
  }

  private void meta() {
    int meta = in.u8() % 2 * pageSize + BoltFiles.META_AT;
    int field = in.u8() % 8;
    switch (field) {
      case 0, 1, 2, 3 -> set(meta + field * 4, 4, number(words.getInt(meta + field * 4)));
      default -> {
        int at = meta + 16 + (in.u8() % 5) * 8;
        set(at, 8, number(words.getLong(at)));
      }
    }
  }

  private void copyPage(int from, int to, int how) {
    if (to + pageSize <= file.length && from + pageSize <= file.length) {
      System.arraycopy(file, from, file, to, pageSize);
      if (how % 2 == 0) {
        words.putLong(to, to / pageSize);
      }
    }
  }

  /// The root or sequence of a bucket in a leaf.
  private void bucket(int page) {
    int count = Math.min(words.getShort(page + 10) & 0xFFFF, (pageSize - HEADER_BYTES) / ELEMENT_BYTES);
    int wanted = in.u8();
    for (int i = 0; i < count; i++) {
      int element = page + HEADER_BYTES + (i + wanted) % count * ELEMENT_BYTES;
      if (element + ELEMENT_BYTES <= file.length && words.getInt(element) == 1) {
        long at = element + (long) words.getInt(element + 4) + words.getInt(element + 8) + in.u8() % 4 * 8;
        if (at >= 0 && at + 8 <= file.length) {
          set((int) at, 8, number(words.getLong((int) at)));
        }
        return;
      }
    }
  }

  private long number(long before) {
    int kind = in.u8();
    if (kind < NUMBERS.length) {
      return NUMBERS[kind];
    }
    return switch (kind % 6) {
      case 0 -> in.u8();
      case 1 -> in.u16();
      case 2 -> in.u64();
      case 3 -> before + (byte) in.u8();
      case 4 -> pages() + (byte) in.u8();
      default -> before ^ 1L << in.u8() % 64;
    };
  }

  private void set(int at, int bytes, long value) {
    for (int i = 0; i < bytes && at + i < file.length; i++) {
      file[at + i] = (byte) (value >>> 8 * i);
    }
  }
}
