package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// Keys that cut a bucket into runs of about as many pages each, for readers that share a long scan.
///
/// They come from the upper branch pages alone, and depend on nothing but the file.
public final class Dividers {
  /// Pages looked for to every run wanted: the more, the more even the runs.
  private static final int PAGES_PER_RUN = 8;

  private final Pages pages;
  private List<Long> ids = new ArrayList<>();
  private List<byte[]> firstKeys = new ArrayList<>();

  private Dividers(Pages pages) {
    this.pages = pages;
  }

  /// @param bucket of a read transaction
  /// @return at most `runs - 1` keys in order, each the least a run may hold; fewer of a small bucket
  public static List<byte[]> of(Bucket bucket, int runs) throws CorruptionException {
    Invariant.check(bucket.rootNode == null, "dividers of a bucket being changed");
    Dividers dividers = new Dividers(bucket.pages);
    if (bucket.rootId == 0) {
      return List.of();
    }
    dividers.ids.add(bucket.rootId);
    dividers.firstKeys.add(new byte[0]);
    for (int depth = 0; depth < Page.DEPTH_MAX && dividers.ids.size() < runs * PAGES_PER_RUN; depth++) {
      if (!dividers.descend()) {
        break;
      }
    }
    return dividers.choose(runs);
  }

  /// Goes over to the pages one level down. @return false when they are leaves
  private boolean descend() throws CorruptionException {
    List<Long> children = new ArrayList<>();
    List<byte[]> keys = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      long at = pages.at(ids.get(i));
      if (!pages.isBranch(at)) {
        return false;
      }
      long end = pages.end(at);
      for (int child = 0; child < pages.count(at); child++) {
        long element = Pages.element(at, child);
        children.add(pages.child(element));
        keys.add(child == 0 ? firstKeys.get(i) : key(element, end));
      }
    }
    ids = children;
    firstKeys = keys;
    return true;
  }

  private byte[] key(long element, long end) throws CorruptionException {
    long keyAt = pages.branchKeyAt(element, end);
    byte[] key = new byte[pages.branchKeyLength(element)];
    MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, keyAt, key, 0, key.length);
    return key;
  }

  private List<byte[]> choose(int runs) {
    List<byte[]> chosen = new ArrayList<>();
    int before = 0;
    for (int run = 1; run < runs; run++) {
      int at = (int) ((long) ids.size() * run / runs);
      if (at > before) {
        chosen.add(firstKeys.get(at));
        before = at;
      }
    }
    return chosen;
  }
}
