package dev.kvorum.bolt;

import java.util.Arrays;

/// A growing list of (page id, how many pages in a row).
final class PageRuns {
  private long[] ids = new long[64];
  private int[] spans = new int[64];
  private int count;
  private long pages;

  int count() {
    return count;
  }

  /// Pages in all.
  long pages() {
    return pages;
  }

  long id(int i) {
    return ids[i];
  }

  int span(int i) {
    return spans[i];
  }

  void add(long id, int span) {
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, count * 2);
      spans = Arrays.copyOf(spans, count * 2);
    }
    ids[count] = id;
    spans[count++] = span;
    pages += span;
  }
}
