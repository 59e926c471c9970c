package dev.kvorum.bolt;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The layout of a page. All numbers are little-endian, as on every platform we meet a bbolt file on.
///
/// ```text
/// header   id 8 · flags 2 · count 2 · overflow 4
/// branch   count × ( pos 4 · key length 4 · page id 8 )                     then the keys
/// leaf     count × ( flags 4 · pos 4 · key length 4 · value length 4 )      then key, value, key, value, …
/// bucket   root page id 8 (0: inline) · sequence 8 [· leaf page, if inline]   as the value of a leaf element
/// ```
///
/// `pos` counts from the start of its own element. A page may span `overflow` more pages, which have no header.
///
/// Source: bbolt `internal/common/page.go`, `inode.go`, `bucket.go`.
final class Page {
  static final int HEADER_BYTES = 16;
  static final int ELEMENT_BYTES = 16;
  static final int BUCKET_BYTES = 16;

  static final int BRANCH = 0x01;
  static final int LEAF = 0x02;
  static final int META = 0x04;
  static final int FREELIST = 0x10;

  /// Flag of a leaf element whose value is a bucket.
  static final int BUCKET = 1;

  /// A count that means: the first eight bytes after the header hold the true one (free page lists only).
  static final int COUNT_ELSEWHERE = 0xFFFF;

  /// Branches above a leaf, at most: far beyond any honest tree, so that a cycle of pages ends in an error.
  static final int DEPTH_MAX = 64;

  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Page() {}

  /// The second word of a header, which holds all but the id.
  static long headerWord(int flags, int count, int overflow) {
    return flags | (long) count << 16 | (long) overflow << 32;
  }

  static int flags(long headerWord) {
    return (int) headerWord & 0xFFFF;
  }

  static int count(long headerWord) {
    return (int) (headerWord >>> 16) & 0xFFFF;
  }

  static long overflow(long headerWord) {
    return headerWord >>> 32;
  }
}
