package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;

/// The pages a write transaction may use. Gives low ones first, so that a transaction's pages lie near each other and
/// files stay short.
///
/// Neither adding a page nor taking one, nor several in a row, costs more in a file with many free pages, or in a
/// fragmented one: [PageSet] skips what is absent, and [RunIndex] what is too short.
final class FreePages {
  private final PageSet pages = new PageSet();
  private final RunIndex runs = new RunIndex(pages);
  private long firstMaybe;

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

  /// Nodes looked at by all searches for runs: the work they took.
  long nodesVisited() {
    return runs.nodesVisited();
  }

  /// @return false when it was free already
  boolean add(long id) {
    Invariant.check(id >= 2, () -> "page " + id + " is never free");
    firstMaybe = Math.min(firstMaybe, id);
    if (!pages.add(id)) {
      return false;
    }
    runs.changed(id);
    return true;
  }

  /// Takes the lowest `n` pages in a row. @return the first, or -1 when there are none
  long take(int n) {
    if (n == 1) {
      return takeOne();
    }
    long id = n > pages.size() ? -1 : runs.find(n);
    for (long p = id; id >= 0 && p < id + n; p++) {
      remove(p);
    }
    return id;
  }

  private long takeOne() {
    long id = pages.next(firstMaybe);
    firstMaybe = id < 0 ? Long.MAX_VALUE : id + 1;
    if (id >= 0) {
      remove(id);
    }
    return id;
  }

  private void remove(long id) {
    pages.remove(id);
    runs.changed(id);
  }
}
