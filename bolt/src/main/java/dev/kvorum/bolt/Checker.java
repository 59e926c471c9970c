package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Proves a state sound, page by page: what `bbolt check` does, in its words.
///
/// Every page is reached once, or listed as free, or neither metas nor the list itself: never two of these. Keys ascend
/// within pages and lie within what the branches above promise. What a page id, flag or length gets wrong is told in
/// our own words and ends the walk there. So is a leaf without elements below a branch, which `bbolt check` lets pass.
///
/// Source: bbolt `tx_check.go`.
public final class Checker {
  private static final int FINDINGS_MAX = 1000;

  private final Pages pages;
  private final Meta meta;
  private final PageSet freed = new PageSet();
  private final PageSet reached = new PageSet();

  /// Pages told to be of a wrong type.
  private final PageSet unreadable = new PageSet();

  /// Pages whose keys were looked at: a page with two references, told already, is not walked below twice.
  private final PageSet ordered = new PageSet();

  private final List<Long> stack = new ArrayList<>();
  private final List<String> findings = new ArrayList<>();

  private Checker(Pages pages, Meta meta) {
    this.pages = pages;
    this.meta = meta;
  }

  /// Walks all of `tx`. @return what is wrong, in the order found, at most 1,000 lines; empty when sound
  public static List<String> findings(ReadTx tx) {
    tx.checkOpen();
    Checker checker = new Checker(tx.pages(), tx.meta());
    checker.check();
    return List.copyOf(checker.findings);
  }

  private void check() {
    reached.add(0);
    reached.add(1);
    if (meta.hasFreelist()) {
      checkFreelist();
    }
    checkTree(meta.root(), 0);
    checkOrder(meta.root(), null, null);
    if (meta.hasFreelist()) {
      for (long id = 0; id < meta.pageCount(); id++) {
        if (!reached.contains(id) && !freed.contains(id)) {
          found("page " + id + ": unreachable unfreed");
        }
      }
    }
  }

  private void checkFreelist() {
    try {
      int span = FreelistPage.read(pages, meta.freelist(), id -> {
        if (!freed.add(id)) {
          found("page " + id + ": already freed");
        }
      });
      for (long id = meta.freelist(); id < meta.freelist() + span; id++) {
        reached.add(id);
        if (freed.contains(id)) {
          found("page " + id + ": reachable freed");
        }
      }
    } catch (CorruptionException e) {
      found(e.getMessage());
    }
  }

  /// Walks a bucket's tree, and those nested in it.
  private void checkTree(long id, int depth) {
    stack.add(id);
    try {
      if (id < 0 || id >= meta.pageCount()) {
        found("page " + id + ": out of bounds: " + meta.pageCount() + " (stack: " + stackText() + ")");
      } else if (reachOnce(id) && isSound(id) && depth <= Page.DEPTH_MAX) {
        checkBelow(id, depth);
      }
    } catch (CorruptionException e) {
      found(e.getMessage());
    } finally {
      stack.removeLast();
    }
  }

  /// @return false when some walk has been here before
  private boolean reachOnce(long id) {
    long span = 1 + Page.overflow(pages.map.get(Page.LONG, id * pages.pageSize + 8));
    boolean once = true;
    for (long p = id; p < Math.min(id + span, meta.pageCount()); p++) {
      if (!reached.add(p)) {
        found("page " + p + ": multiple references (stack: " + stackText() + ")");
        once = false;
      }
    }
    return once;
  }

  private boolean isSound(long id) {
    long word = pages.map.get(Page.LONG, id * pages.pageSize + 8);
    int flags = Page.flags(word);
    for (long p = id; p < Math.min(id + 1 + Page.overflow(word), meta.pageCount()); p++) {
      if (freed.contains(p)) {
        found("page " + p + ": reachable freed");
      }
    }
    if (flags != Page.BRANCH && flags != Page.LEAF) {
      found("page " + id + ": invalid type: " + Pages.typeName(flags) + " (stack: " + stackText() + ")");
      unreadable.add(id);
      return false;
    }
    return true;
  }

  private void checkBelow(long id, int depth) throws CorruptionException {
    long at = pages.at(id);
    long end = pages.end(at);
    for (int i = 0; i < pages.count(at); i++) {
      long element = Pages.element(at, i);
      if (pages.isBranch(at)) {
        checkTree(pages.child(element), depth + 1);
      } else if (pages.leafFlags(element) == Page.BUCKET) {
        checkBucket(element, end, depth);
      }
    }
  }

  private void checkBucket(long element, long end, int depth) throws CorruptionException {
    long valueAt = pages.leafKeyAt(element, end) + pages.leafKeyLength(element);
    long valueEnd = valueAt + pages.leafValueLength(element);
    long root = valueEnd - valueAt < Page.BUCKET_BYTES ? -1 : pages.map.get(Page.LONG, valueAt);
    if (root == 0) {
      checkInline(valueAt + Page.BUCKET_BYTES, valueEnd);
    } else {
      List<Long> above = List.copyOf(stack);
      stack.clear();
      checkTree(root, depth + 1);
      checkOrder(root, null, null);
      stack.addAll(above);
    }
  }

  /// Checks a bucket's page inside its parent's leaf, which bbolt does not look at. It holds plain elements only.
  private void checkInline(long at, long end) throws CorruptionException {
    Bucket.checkInline(pages, at, end);
    byte[] previous = null;
    for (int i = 0; i < pages.count(at); i++) {
      long element = Pages.element(at, i);
      byte[] key = keyAt(at, end, i, false);
      checkKey(i, key, previous, null, "inline", stack.getLast());
      if (pages.leafFlags(element) == Page.BUCKET) {
        found("a bucket in an inline page. Stack: " + stackText());
      }
      previous = key;
    }
  }

  /// Checks the order of keys in the tree at `id`, all of which lie from `least` to below `beyond`.
  ///
  /// @return the greatest key, or `least` if there is none
  private byte @Nullable [] checkOrder(long id, byte @Nullable [] least, byte @Nullable [] beyond) {
    stack.add(id);
    try {
      long at = pages.at(id);
      return ordered.add(id) && stack.size() <= Page.DEPTH_MAX ? checkOrderIn(id, at, least, beyond) : least;
    } catch (CorruptionException e) {
      if (!unreadable.contains(id) && !findings.contains(e.getMessage())) { // the walk before tells what is wrong with pages, not with all elements
        found(e.getMessage());
      }
      return least;
    } finally {
      stack.removeLast();
    }
  }

  private byte @Nullable [] checkOrderIn(long id, long at, byte @Nullable [] least, byte @Nullable [] beyond)
      throws CorruptionException {
    long end = pages.end(at);
    int count = pages.count(at);
    boolean isBranch = pages.isBranch(at);
    if (count == 0 && least != null) {
      found("page " + id + ": leaf without elements below a branch");
    }
    byte[] previous = least;
    long used = 0;
    for (int i = 0; i < count && findings.size() < FINDINGS_MAX; i++) {
      byte[] key = keyAt(at, end, i, isBranch);
      used += Page.ELEMENT_BYTES + key.length + (isBranch ? 0 : pages.leafValueLength(Pages.element(at, i)));
      checkKey(i, key, previous, beyond, isBranch ? "branch" : "leaf", id);
      if (isBranch) {
        byte[] next = i + 1 < count ? keyAt(at, end, i + 1, true) : beyond;
        previous = checkOrder(pages.child(Pages.element(at, i)), key, next);
      } else {
        previous = key;
      }
    }
    if (used > end - at - Page.HEADER_BYTES) {
      found("page " + id + ": elements overlap (stack: " + stackText() + ")");
    }
    return previous;
  }

  private byte[] keyAt(long at, long end, int i, boolean isBranch) throws CorruptionException {
    long element = Pages.element(at, i);
    long from = isBranch ? pages.branchKeyAt(element, end) : pages.leafKeyAt(element, end);
    byte[] key = new byte[isBranch ? pages.branchKeyLength(element) : pages.leafKeyLength(element)];
    MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, from, key, 0, key.length);
    return key;
  }

  private void checkKey(
      int i, byte[] key, byte @Nullable [] previous, byte @Nullable [] beyond, String type, long id) {
    if (previous != null) {
      int order = Arrays.compareUnsigned(previous, key);
      if (i == 0 && order > 0) {
        found("the first " + keyText(i, key, type, id) + " needs to be >= the key in the ancestor (" + hex(previous)
            + "). Stack: " + stackText());
      } else if (i > 0 && order >= 0) {
        found(keyText(i, key, type, id) + " needs to be > (found " + (order == 0 ? "=" : "<")
            + ") than previous element (hex)" + hex(previous) + ". Stack: " + stackText());
      }
    }
    if (beyond != null && Arrays.compareUnsigned(key, beyond) >= 0) {
      found(keyText(i, key, type, id) + " needs to be < than key of the next element in ancestor (hex)" + hex(beyond)
          + ". Pages stack: " + stackText());
    }
  }

  private static String keyText(int i, byte[] key, String type, long id) {
    return "key[" + i + "]=(hex)" + hex(key) + " on " + type + " page(" + id + ")";
  }

  private static String hex(byte[] key) {
    return HexFormat.of().formatHex(key);
  }

  private String stackText() {
    return stack.stream().map(String::valueOf).collect(Collectors.joining(" ", "[", "]"));
  }

  private void found(String what) {
    if (findings.size() < FINDINGS_MAX) {
      findings.add(what);
    }
  }
}
