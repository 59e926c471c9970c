package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;

/// The pages a write transaction may use. Gives low ones first, so that a transaction's pages lie near each other and
/// files stay short.
///
/// A search for several pages in a row goes on where the last one ended. One that fails is remembered until pages
/// become free, so that a fragmented file is searched once per commit, not once per page.
final class FreePages {
  private final PageSet pages = new PageSet();
  private long firstMaybe;
  private long runsFrom;
  private long longestRunBelow = Long.MAX_VALUE;

  long size() {
    return pages.size();
  }

  boolean contains(long id) {
    return pages.contains(id);
  }

  /// The least free page not below `from`, or -1.
  long next(long from) {
    return pages.next(from);
  }

  /// @return false when it was free already
  boolean add(long id) {
    Invariant.check(id >= 2, () -> "page " + id + " is never free");
    firstMaybe = Math.min(firstMaybe, id);
    longestRunBelow = Long.MAX_VALUE;
    return pages.add(id);
  }

  /// Each transaction begins its searches at the front.
  void beginTransaction() {
    runsFrom = 0;
  }

  /// Takes `n` pages in a row. @return the first, or -1 when there are none
  long take(int n) {
    if (n == 1) {
      long id = pages.next(firstMaybe);
      firstMaybe = id < 0 ? Long.MAX_VALUE : id + 1;
      if (id >= 0) {
        pages.remove(id);
      }
      return id;
    }
    if (n >= longestRunBelow || n > pages.size()) {
      return -1;
    }
    long start = runsFrom;
    long id = findRun(start, n);
    if (id < 0 && start > 0) {
      id = findRun(0, n);
    }
    if (id < 0) {
      longestRunBelow = n;
      return -1;
    }
    for (long p = id; p < id + n; p++) {
      pages.remove(p);
    }
    runsFrom = id + n;
    return id;
  }

  private long findRun(long from, int n) {
    long id = pages.next(from);
    while (id >= 0) {
      long run = pages.runFrom(id, n);
      if (run >= n) {
        return id;
      }
      id = pages.next(id + run);
    }
    return -1;
  }
}
