package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;

/// A walk over all pages of a tree and of the buckets nested in it.
final class PageWalk {
  /// Told of each page, once, before those below it.
  interface Visitor {
    void page(long id, int span) throws CorruptionException;
  }

  private final Pages pages;
  private final Visitor visitor;

  PageWalk(Pages pages, Visitor visitor) {
    this.pages = pages;
    this.visitor = visitor;
  }

  /// The pages reachable from `root`, as a set.
  ///
  /// @throws CorruptionException when a page is reached twice
  static PageSet reachable(Pages pages, long root) throws CorruptionException {
    PageSet reached = new PageSet();
    new PageWalk(pages, (id, span) -> {
      for (long p = id; p < id + span; p++) {
        if (!reached.add(p)) {
          throw pages.corrupt(p * pages.pageSize, "page " + p + ": multiple references");
        }
      }
    }).walk(root);
    return reached;
  }

  void walk(long root) throws CorruptionException {
    walk(root, 0);
  }

  private void walk(long id, int depth) throws CorruptionException {
    long at = pages.at(id);
    if (depth > Page.DEPTH_MAX) {
      throw pages.corrupt(at, "pages nest without end");
    }
    visitor.page(id, pages.span(at));
    int count = pages.count(at);
    if (pages.isBranch(at)) {
      for (int i = 0; i < count; i++) {
        walk(pages.child(Pages.element(at, i)), depth + 1);
      }
      return;
    }
    long end = pages.end(at);
    for (int i = 0; i < count; i++) {
      long element = Pages.element(at, i);
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
      walk(root, depth + 1);
    }
  }
}
