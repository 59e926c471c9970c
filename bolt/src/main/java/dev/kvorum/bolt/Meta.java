package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// A meta page: the root of one committed state. Transaction T writes page T mod 2, so the state before survives until
/// this one is whole.
///
/// @param pageSize bytes
/// @param root page id of the tree of buckets
/// @param sequence of the root bucket, unused
/// @param freelist page id of the list of free pages, or [#NO_FREELIST]
/// @param pageCount one past the highest page ever allocated
/// @param txid of the transaction that made the state
record Meta(int pageSize, long root, long sequence, long freelist, long pageCount, long txid) {
  static final int BYTES = 64;
  static final long NO_FREELIST = -1;

  private static final int MAGIC = 0xED0CDAED;
  private static final int VERSION = 2;
  private static final int CHECKED_BYTES = 56;
  private static final int PAGE_SIZE_MAX = 1 << 24;

  /// What any file system can hold, so that no offset overflows.
  private static final long BYTES_MAX = 1L << 60;

  /// Beyond all that could ever be counted up to, and far enough from the end that counting on is safe.
  private static final long TXID_MAX = 1L << 62;

  /// What a look at a would-be meta page found: a meta, or in `flaw` why there is none, in bbolt's words.
  record Reading(@Nullable Meta meta, String flaw) {
    static Reading flawed(String flaw) {
      return new Reading(null, flaw);
    }
  }

  boolean hasFreelist() {
    return freelist != NO_FREELIST;
  }

  /// Reads a meta page of which `page` holds the first bytes, from index 0.
  static Reading read(ByteBuffer page) {
    if (page.limit() < Page.HEADER_BYTES + BYTES) {
      return Reading.flawed("file too short");
    }
    ByteBuffer b = page.slice(Page.HEADER_BYTES, BYTES).order(ByteOrder.LITTLE_ENDIAN);
    if (b.getInt(0) != MAGIC) {
      return Reading.flawed("invalid database");
    }
    if (b.getInt(4) != VERSION) {
      return Reading.flawed("version mismatch");
    }
    if (b.getLong(56) != checksum(b)) {
      return Reading.flawed("checksum error");
    }
    Meta meta = new Meta(b.getInt(8), b.getLong(16), b.getLong(24), b.getLong(32), b.getLong(40), b.getLong(48));
    return meta.isSensible() && meta.txid < TXID_MAX ? new Reading(meta, "") : Reading.flawed("senseless meta page");
  }

  private boolean isSensible() {
    return pageSize >= 512
        && pageSize <= PAGE_SIZE_MAX
        && Integer.bitCount(pageSize) == 1
        && root >= 2
        && root < pageCount
        && (freelist == NO_FREELIST || (freelist >= 2 && freelist < pageCount))
        && pageCount <= BYTES_MAX / pageSize
        && txid >= 0;
  }

  /// Writes the whole page, zero padded, as page `id`, into `target` from index `at`.
  void write(ByteBuffer target, int at, long id) {
    Invariant.check(isSensible(), () -> "senseless meta " + this);
    ByteBuffer b = target.slice(at, pageSize).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < pageSize; i += 8) {
      b.putLong(i, 0);
    }
    b.putLong(0, id).putLong(8, Page.headerWord(Page.META, 0, 0));
    ByteBuffer m = b.slice(Page.HEADER_BYTES, BYTES).order(ByteOrder.LITTLE_ENDIAN);
    m.putInt(0, MAGIC).putInt(4, VERSION).putInt(8, pageSize);
    m.putLong(16, root).putLong(24, sequence).putLong(32, freelist).putLong(40, pageCount).putLong(48, txid);
    m.putLong(56, checksum(m));
  }

  /// FNV-1a over all that precedes the checksum.
  private static long checksum(ByteBuffer meta) {
    long h = 0xCBF29CE484222325L;
    for (int i = 0; i < CHECKED_BYTES; i++) {
      h = (h ^ (meta.get(i) & 0xff)) * 0x100000001B3L;
    }
    return h;
  }
}
