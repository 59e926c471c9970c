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
    if (file.size() > 0) {
      file.resize(0); // what a failed sync left, its length included, is to be done again in whole
    }
    file.write(initialPages(pageSize), 0);
    file.sync();
  }

  private static ByteBuffer initialPages(int pageSize) {
    ByteBuffer pages = ByteBuffer.allocate(4 * pageSize).order(ByteOrder.LITTLE_ENDIAN);
    for (int txid = 0; txid < 2; txid++) {
      new Meta(pageSize, 3, 0, 2, 4, txid).write(pages, txid * pageSize, txid);
    }
    pages.putLong(2 * pageSize, 2).putLong(2 * pageSize + 8, Page.headerWord(Page.FREELIST, 0, 0));
    pages.putLong(3 * pageSize, 3).putLong(3 * pageSize + 8, Page.headerWord(Page.LEAF, 0, 0));
    return pages;
  }

  /// Whether `file` is one that [#initialise] may have been cut short on, by a loss of power, a full disk or a failed
  /// sync: no longer than its four pages, and each byte as they have it or never written. Nothing can have been stored
  /// in such a file, for the first commit makes it longer; so it may be begun anew.
  static boolean isUnfinished(DiskFile file, int pageSize) throws IOException {
    ByteBuffer whole = initialPages(pageSize);
    if (file.size() > whole.capacity()) {
      return false;
    }
    ByteBuffer found = ByteBuffer.allocate((int) file.size());
    file.readFully(found, 0);
    for (int i = 0; i < found.capacity(); i++) {
      if (found.get(i) != 0 && found.get(i) != whole.get(i)) {
        return false;
      }
    }
    return true;
  }

  /// Both meta pages, as far as they are valid.
  ///
  /// @param pageSize bytes, 0 if neither is
  record Both(Meta.Reading first, Meta.Reading second, int pageSize) {
    /// The meta of the newest state, or null if neither is valid.
    @Nullable Meta newest() {
      Meta a = first.meta();
      Meta b = second.meta();
      return a == null || (b != null && b.txid() > a.txid()) ? b : a;
    }

    /// The other one, if valid.
    @Nullable Meta older() {
      return newest() == first.meta() ? second.meta() : first.meta();
    }

    /// Which page holds the newest state.
    int newestSlot() {
      return newest() == first.meta() ? 0 : 1;
    }
  }

  static Both read(DiskFile file) throws IOException {
    Meta.Reading first = readAt(file, 0);
    Meta.Reading second = first.meta() != null ? readAt(file, first.meta().pageSize()) : probeSecond(file);
    Meta known = first.meta() != null ? first.meta() : second.meta();
    if (second.meta() != null && first.meta() != null && second.meta().pageSize() != first.meta().pageSize()) {
      second = Meta.Reading.flawed("page size differs from the other meta page's");
    }
    return new Both(first, second, known == null ? 0 : known.pageSize());
  }

  /// The newest valid meta.
  ///
  /// @throws CorruptionException when there is none, or the file is shorter than it says
  static Meta find(DiskFile file) throws IOException {
    Both both = read(file);
    Meta meta = both.newest();
    if (meta == null) {
      throw new CorruptionException(file.path(), 0, both.first().flaw());
    }
    if (meta.pageCount() * meta.pageSize() > file.size()) {
      throw new CorruptionException(file.path(), file.size(), "file ends before its last page");
    }
    return meta;
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
