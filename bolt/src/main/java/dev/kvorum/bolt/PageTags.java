package dev.kvorum.bolt;

import java.util.Arrays;

/// A transaction id for some of the pages: four bytes per page, in chunks that exist only where a page has one.
final class PageTags {
  private static final int CHUNK_PAGES = 4096;

  private int[][] chunks = new int[16][];
  private long base;
  private boolean empty = true;

  boolean isEmpty() {
    return empty;
  }

  void clear() {
    if (!empty) {
      Arrays.fill(chunks, null);
      empty = true;
    }
  }

  /// Once ids outgrow four bytes, because older states have been read without a pause for two billion commits, all is
  /// forgotten: those pages then wait a little longer than they need to.
  ///
  /// @param txid not below any set since this was last empty
  void set(long id, long txid) {
    if (txid - base > Integer.MAX_VALUE) {
      clear();
    }
    if (empty) {
      base = txid - 1;
      empty = false;
    }
    int c = (int) (id / CHUNK_PAGES);
    if (c >= chunks.length) {
      chunks = Arrays.copyOf(chunks, Math.max(chunks.length * 2, c + 1));
    }
    if (chunks[c] == null) {
      chunks[c] = new int[CHUNK_PAGES];
    }
    chunks[c][(int) (id % CHUNK_PAGES)] = (int) (txid - base);
  }

  /// @return what was set, or 0 if nothing was
  long remove(long id) {
    int c = (int) (id / CHUNK_PAGES);
    if (c >= chunks.length || chunks[c] == null) {
      return 0;
    }
    int i = (int) (id % CHUNK_PAGES);
    int tag = chunks[c][i];
    chunks[c][i] = 0;
    return tag == 0 ? 0 : base + tag;
  }
}
