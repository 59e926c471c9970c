package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// The mapped pages of one committed state, and the only way to their bytes.
///
/// Trusts nothing it reads: page ids, flags, lengths and positions are checked on each use, so that a rotten page is a
/// [CorruptionException] and never a crash, a hang or bytes from elsewhere. Checks cost a compare each, on words that
/// are loaded anyway. A page is named by `at`, its offset in bytes, once [#at] has looked at its header; an inline
/// page, which has no id, by where its bucket's value lies.
final class Pages {
  final MemorySegment map;
  final int pageSize;
  final long pageCount;
  final Path file;

  Pages(MemorySegment map, int pageSize, long pageCount, Path file) {
    this.map = map;
    this.pageSize = pageSize;
    this.pageCount = pageCount;
    this.file = file;
  }

  /// Where page `id`, a branch or a leaf, begins.
  long at(long id) throws CorruptionException {
    if (id < 2 || id >= pageCount) {
      throw new CorruptionException(file, 0, "reference to page " + id + ", out of bounds: " + pageCount);
    }
    long at = id * pageSize;
    long found = map.get(Page.LONG, at);
    long word = map.get(Page.LONG, at + 8);
    if (found != id) {
      throw corrupt(at, "page " + id + " calls itself " + found);
    }
    int flags = Page.flags(word);
    if (flags != Page.LEAF && flags != Page.BRANCH) {
      throw corrupt(at, "page " + id + ": invalid type: " + typeName(flags));
    }
    long span = 1 + Page.overflow(word);
    if (span > pageCount - id) {
      throw corrupt(at, "page " + id + ": overflow " + (span - 1) + " out of bounds: " + pageCount);
    }
    int elementsEnd = Page.HEADER_BYTES + Page.count(word) * Page.ELEMENT_BYTES;
    if (elementsEnd > span * pageSize) {
      throw corrupt(at, "page " + id + ": " + Page.count(word) + " elements do not fit");
    }
    if (Page.count(word) == 0) {
      if (flags == Page.BRANCH) {
        throw corrupt(at, "page " + id + ": branch without elements");
      }
    } else if (map.get(Page.INT, at + Page.HEADER_BYTES + (flags == Page.LEAF ? 4 : 0))
        != elementsEnd - Page.HEADER_BYTES) {
      // all writers put the first key right behind the elements, so a wrong count shows before it hides any
      throw corrupt(at, "page " + id + ": " + Page.count(word) + " elements do not end where keys begin");
    }
    return at;
  }

  /// What bbolt calls a page with these flags.
  static String typeName(int flags) {
    return switch (flags) {
      case Page.BRANCH -> "branch";
      case Page.LEAF -> "leaf";
      case Page.META -> "meta";
      case Page.FREELIST -> "freelist";
      default -> "unknown<" + Integer.toHexString(flags) + ">";
    };
  }

  boolean isBranch(long at) {
    return Page.flags(map.get(Page.LONG, at + 8)) == Page.BRANCH;
  }

  int count(long at) {
    return Page.count(map.get(Page.LONG, at + 8));
  }

  /// Physical pages of the page at `at`.
  int span(long at) {
    return 1 + (int) Page.overflow(map.get(Page.LONG, at + 8));
  }

  /// Where the bytes of the page at `at` end.
  long end(long at) {
    return at + (1 + Page.overflow(map.get(Page.LONG, at + 8))) * pageSize;
  }

  static long element(long at, int index) {
    return at + Page.HEADER_BYTES + (long) index * Page.ELEMENT_BYTES;
  }

  /// Checks the bounds of a branch element. @return where its key lies
  long branchKeyAt(long element, long end) throws CorruptionException {
    long word = map.get(Page.LONG, element);
    long keyAt = element + (word & 0xFFFFFFFFL);
    long keyLength = word >>> 32;
    if (keyLength > Bucket.KEY_BYTES_MAX || keyAt + keyLength > end) {
      throw corrupt(element, "branch element out of its page's bounds");
    }
    return keyAt;
  }

  int branchKeyLength(long element) {
    return map.get(Page.INT, element + 4);
  }

  long child(long element) {
    return map.get(Page.LONG, element + 8);
  }

  /// Checks the bounds of a leaf element. @return where its key lies; its value lies behind
  long leafKeyAt(long element, long end) throws CorruptionException {
    long word = map.get(Page.LONG, element);
    if (!isSoundLeafElement(word, map.get(Page.LONG, element + 8), end - element)) {
      throw unsoundLeafElement(element);
    }
    return element + (word >>> 32);
  }

  /// Whether a leaf element, of which `word` has flags and position and `lengths` those, is known and in bounds.
  ///
  /// @param room bytes from the element to the end of its page
  static boolean isSoundLeafElement(long word, long lengths, long room) {
    long keyLength = lengths & 0xFFFFFFFFL;
    return (int) word >>> 1 == 0
        && keyLength <= Bucket.KEY_BYTES_MAX
        && keyLength != 0
        && lengths >= 0
        && (word >>> 32) + keyLength + (lengths >>> 32) <= room;
  }

  CorruptionException unsoundLeafElement(long element) {
    return corrupt(element, "leaf element unknown or out of its page's bounds");
  }

  int leafFlags(long element) {
    return map.get(Page.INT, element);
  }

  int leafKeyLength(long element) {
    return map.get(Page.INT, element + 8);
  }

  int leafValueLength(long element) {
    return map.get(Page.INT, element + 12);
  }

  /// The index of `key` in the leaf at `at`, or if absent `-1 - index` of the first element above it.
  int searchLeaf(long at, long end, byte[] key) throws CorruptionException {
    int low = 0;
    int high = count(at) - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long element = element(at, middle);
      int order = KeyOrder.compare(map, leafKeyAt(element, end), leafKeyLength(element), key);
      if (order < 0) {
        low = middle + 1;
      } else if (order > 0) {
        high = middle - 1;
      } else {
        return middle;
      }
    }
    return -1 - low;
  }

  /// The index of the child of the branch at `at` in which `key` would be: the last whose key is not above, or 0.
  int searchBranch(long at, long end, byte[] key) throws CorruptionException {
    int low = 1;
    int high = count(at) - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long element = element(at, middle);
      if (KeyOrder.compare(map, branchKeyAt(element, end), branchKeyLength(element), key) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return low - 1;
  }

  CorruptionException corrupt(long offset, String what) {
    return new CorruptionException(file, offset, what);
  }
}
