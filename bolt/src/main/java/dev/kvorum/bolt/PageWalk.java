package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;

/// A walk over all pages of a tree and of the buckets nested in it, which may look whether keys are in order as well.
///
/// Within it, a key is a number: where it lies in the file, and its length in the lowest 16 bits.
final class PageWalk {
  /// Told of each page, once, before those below it.
  interface Visitor {
    void page(long id, int span) throws CorruptionException;
  }

  private static final long NO_KEY = -1;

  private final Pages pages;
  private final Visitor visitor;
  private final boolean judgesOrder;

  PageWalk(Pages pages, Visitor visitor) {
    this(pages, visitor, false);
  }

  private PageWalk(Pages pages, Visitor visitor, boolean judgesOrder) {
    this.pages = pages;
    this.visitor = visitor;
    this.judgesOrder = judgesOrder;
  }

  /// The pages reachable from `root`, as a set.
  ///
  /// @throws CorruptionException when a page is reached twice, or a key is not where it would be looked for: whoever
  ///     read the tree would miss it, or all that follows
  static PageSet reachable(Pages pages, long root) throws CorruptionException {
    PageSet reached = new PageSet();
    Visitor visitor = (id, span) -> {
      for (long p = id; p < id + span; p++) {
        if (!reached.add(p)) {
          throw pages.corrupt(p * pages.pageSize, "page " + p + ": multiple references");
        }
      }
    };
    new PageWalk(pages, visitor, true).walk(root);
    return reached;
  }

  void walk(long root) throws CorruptionException {
    walk(root, 0, NO_KEY, NO_KEY);
  }

  /// @param least no key is below it; none for the root of a bucket, and where order is not judged
  /// @param beyond all keys are below it
  private void walk(long id, int depth, long least, long beyond) throws CorruptionException {
    long at = pages.at(id);
    if (depth > Page.DEPTH_MAX) {
      throw pages.corrupt(at, "pages nest without end");
    }
    visitor.page(id, pages.span(at));
    if (pages.isBranch(at)) {
      walkBranch(id, at, depth, least, beyond);
    } else {
      walkLeaf(id, at, depth, least, beyond);
    }
  }

  private void walkBranch(long id, long at, int depth, long least, long beyond) throws CorruptionException {
    long end = pages.end(at);
    int count = pages.count(at);
    long key = count == 0 ? NO_KEY : branchKey(at, 0, end);
    requireOrder(id, 0, least, false, key, beyond);
    for (int i = 0; i < count; i++) {
      long next = i + 1 < count ? branchKey(at, i + 1, end) : NO_KEY;
      if (next != NO_KEY) {
        requireOrder(id, i + 1, key, true, next, beyond);
      }
      walk(pages.child(Pages.element(at, i)), depth + 1, key, next == NO_KEY ? beyond : next);
      key = next;
    }
  }

  private void walkLeaf(long id, long at, int depth, long least, long beyond) throws CorruptionException {
    long end = pages.end(at);
    int count = pages.count(at);
    if (count == 0 && least != NO_KEY) {
      throw pages.corrupt(at, "page " + id + ": leaf without elements below a branch");
    }
    long previous = least;
    for (int i = 0; i < count; i++) {
      long element = Pages.element(at, i);
      if (judgesOrder) {
        long key = pages.leafKeyAt(element, end) << 16 | pages.leafKeyLength(element);
        requireOrder(id, i, previous, i > 0, key, i + 1 == count ? beyond : NO_KEY);
        previous = key;
      }
      if (pages.leafFlags(element) == Page.BUCKET) {
        walkBucket(element, end, depth);
      }
    }
  }

  /// Inline buckets have no pages, and what is nested in a bucket keeps it from being inline.
  private void walkBucket(long element, long end, int depth) throws CorruptionException {
    long valueAt = pages.leafKeyAt(element, end) + pages.leafKeyLength(element);
    if (pages.leafValueLength(element) < Page.BUCKET_BYTES) {
      throw pages.corrupt(element, "bucket header of " + pages.leafValueLength(element) + " bytes");
    }
    long root = pages.map.get(Page.LONG, valueAt);
    if (root != 0) {
      walk(root, depth + 1, NO_KEY, NO_KEY);
    }
  }

  private long branchKey(long at, int i, long end) throws CorruptionException {
    long element = Pages.element(at, i);
    return judgesOrder ? pages.branchKeyAt(element, end) << 16 | pages.branchKeyLength(element) : NO_KEY;
  }

  /// @param isAbove whether `key` must be above `previous`, and not just no lower
  private void requireOrder(long id, int i, long previous, boolean isAbove, long key, long beyond)
      throws CorruptionException {
    if (key == NO_KEY) {
      return;
    }
    boolean follows = previous == NO_KEY || compare(previous, key) < (isAbove ? 0 : 1);
    if (!follows || beyond != NO_KEY && compare(key, beyond) >= 0) {
      throw pages.corrupt(key >>> 16, "page " + id + ": key " + i + " is out of order");
    }
  }

  private int compare(long a, long b) {
    return KeyOrder.compare(pages.map, a >>> 16, (int) a & 0xFFFF, b >>> 16, (int) b & 0xFFFF);
  }
}
