package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// The first pages of a file: how they are made, and how the newest state is found from them.
final class MetaPages {
  private static final int PROBE_BYTES = 4096;
  private static final int SMALLEST_PAGE = 1024;
  private static final long MAP_BYTES_MIN = 1 << 15;
  private static final long MAP_STEP_BYTES = 1 << 30;
  private static final long MAP_BYTES_MAX = 0xFFFFFFFFFFFFL;

  private MetaPages() {}

  /// Writes the four pages of an empty database: two metas, an empty list of free pages, an empty leaf.
  static void initialise(DiskFile file, int pageSize) throws IOException {
    ByteBuffer pages = ByteBuffer.allocate(4 * pageSize).order(ByteOrder.LITTLE_ENDIAN);
    for (int txid = 0; txid < 2; txid++) {
      new Meta(pageSize, 3, 0, 2, 4, txid).write(pages, txid * pageSize, txid);
    }
    pages.putLong(2 * pageSize, 2).putLong(2 * pageSize + 8, Page.headerWord(Page.FREELIST, 0, 0));
    pages.putLong(3 * pageSize, 3).putLong(3 * pageSize + 8, Page.headerWord(Page.LEAF, 0, 0));
    file.write(pages, 0);
    file.sync();
  }

  /// The newest valid meta.
  ///
  /// @throws CorruptionException when there is none, or the file is shorter than it says
  static Meta find(DiskFile file) throws IOException {
    Meta.Reading first = readAt(file, 0);
    Meta.Reading second = first.meta() != null ? readAt(file, first.meta().pageSize()) : probeSecond(file);
    Meta meta = newer(first.meta(), second.meta());
    if (meta == null) {
      throw new CorruptionException(file.path(), 0, first.flaw());
    }
    if (meta.pageCount() * meta.pageSize() > file.size()) {
      throw new CorruptionException(file.path(), file.size(), "file ends before its last page");
    }
    return meta;
  }

  private static @Nullable Meta newer(
      @Nullable Meta a, @Nullable Meta b) {
    return a == null || (b != null && b.txid() > a.txid()) ? b : a;
  }

  /// Looks for the second meta page where it would be with each page size.
  private static Meta.Reading probeSecond(DiskFile file) throws IOException {
    long size = file.size();
    for (int i = 0; i < 15; i++) {
      int at = SMALLEST_PAGE << i;
      if (at >= size - SMALLEST_PAGE) {
        break;
      }
      Meta.Reading found = readAt(file, at);
      if (found.meta() != null && found.meta().pageSize() == at) {
        return found;
      }
    }
    return Meta.Reading.flawed("invalid database");
  }

  private static Meta.Reading readAt(DiskFile file, long at) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(PROBE_BYTES);
    while (page.hasRemaining() && file.read(page, at + page.position()) > 0) {
      // until the page is full or the file ends
    }
    return Meta.read(page.flip());
  }

  /// Address space for a file of that length: doubling from 32 KiB to 1 GiB, then whole GiB.
  static long mapBytesFor(long bytes) {
    if (bytes > MAP_BYTES_MAX) {
      throw new IllegalArgumentException("file of " + bytes + " bytes is too large to map");
    }
    if (bytes > MAP_STEP_BYTES) {
      return (bytes + MAP_STEP_BYTES - 1) / MAP_STEP_BYTES * MAP_STEP_BYTES;
    }
    return Math.max(MAP_BYTES_MIN, bytes <= 1 ? 1 : Long.highestOneBit(bytes - 1) << 1);
  }
}
