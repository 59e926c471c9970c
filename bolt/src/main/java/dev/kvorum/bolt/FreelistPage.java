package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// The page that lists free pages, for those who keep one: sorted ids, a count beyond 65,534 in the first of them.
final class FreelistPage {
  private FreelistPage() {}

  /// Bounds and ids of a list, read from its page.
  interface Reader {
    void id(long id) throws CorruptionException;
  }

  /// @return physical pages of the list
  static int read(Pages pages, long id, Reader reader) throws CorruptionException {
    MemorySegment map = pages.map;
    long at = id * pages.pageSize;
    long word = map.get(Page.LONG, at + 8);
    if (map.get(Page.LONG, at) != id || Page.flags(word) != Page.FREELIST) {
      throw pages.corrupt(at, "page " + id + ": invalid freelist page, its type is "
          + Pages.typeName(Page.flags(word)));
    }
    long span = 1 + Page.overflow(word);
    long first = at + Page.HEADER_BYTES;
    long count = Page.count(word);
    if (count == Page.COUNT_ELSEWHERE) {
      count = map.get(Page.LONG, first);
      first += 8;
    }
    if (span > pages.pageCount - id || count < 0 || count > (at + span * pages.pageSize - first) / 8) {
      throw pages.corrupt(at, "page " + id + ": free pages beyond the end of their list");
    }
    for (long i = 0; i < count; i++) {
      long free = map.get(Page.LONG, first + i * 8);
      if (free < 2 || free >= pages.pageCount) {
        throw pages.corrupt(first + i * 8, "free page " + free + " out of bounds: " + pages.pageCount);
      }
      reader.id(free);
    }
    return (int) span;
  }

  /// Pages to set aside for `count` ids: bbolt's estimate, which is a little high.
  static int spanFor(long count, int pageSize) {
    long bytes = Page.HEADER_BYTES + 8 * (count + (count >= Page.COUNT_ELSEWHERE ? 1 : 0));
    return Math.toIntExact(bytes / pageSize + 1);
  }

  /// Writes the list `ids` as page `id` to `target` from `at`. @return where it ends
  static int write(ByteBuffer target, int at, long id, int span, PageSet ids) {
    boolean isLong = ids.size() >= Page.COUNT_ELSEWHERE;
    int count = isLong ? Page.COUNT_ELSEWHERE : (int) ids.size();
    target.putLong(at, id).putLong(at + 8, Page.headerWord(Page.FREELIST, count, span - 1));
    at += Page.HEADER_BYTES;
    if (isLong) {
      target.putLong(at, ids.size());
      at += 8;
    }
    for (long free = ids.next(0); free >= 0; free = ids.next(free + 1)) {
      target.putLong(at, free);
      at += 8;
    }
    return at;
  }
}
