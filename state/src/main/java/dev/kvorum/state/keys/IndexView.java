package dev.kvorum.state.keys;

import dev.kvorum.state.backend.KeepCheck;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The key index at one moment: an immutable tree any number of threads may read.
///
/// Where a method takes `rev`, it answers as of that revision; [#LATEST] is the newest, for which counting costs two
/// walks down the tree however many keys there are.
final class IndexView {
  static final long LATEST = Long.MAX_VALUE;

  private final @Nullable Node root;

  IndexView(@Nullable Node root) {
    this.root = root;
  }

  @Nullable KeyEntry find(byte[] key) {
    Node node = root;
    while (node instanceof Node.Branch branch) {
      node = branch.children[branch.childFor(key)];
    }
    if (!(node instanceof Node.Leaf leaf)) {
      return null;
    }
    int at = leaf.search(key);
    return at < 0 ? null : leaf.entries[at];
  }

  /// Keys of `range` present at the newest revision.
  long countLatest(KeyRange range) {
    if (root == null || range.isEmpty()) {
      return 0;
    }
    if (range.isSingle()) {
      KeyEntry entry = find(range.startArray());
      return entry != null && entry.isLive() ? 1 : 0;
    }
    byte[] end = range.endArray();
    int below = root.liveBelow(range.startArray());
    return (end == null ? root.live() : root.liveBelow(end)) - below;
  }

  /// Keys of `range` present at `rev`.
  long count(KeyRange range, long rev) {
    if (rev == LATEST) {
      return countLatest(range);
    }
    long count = 0;
    Walk walk = walk(range);
    for (KeyEntry entry = walk.next(); entry != null; entry = walk.next()) {
      if (entry.liveAt(rev) >= 0) {
        count++;
      }
    }
    return count;
  }

  private boolean keepsAnything(long rev, boolean withTombstones) {
    Walk walk = new Walk(root, new byte[0], null);
    for (KeyEntry entry = walk.next(); entry != null; entry = walk.next()) {
      int at = entry.lastAtOrBelow(rev);
      if (at >= 0 && (!entry.isTombstone(at) || (withTombstones && entry.mainAt(at) == rev))) {
        return true;
      }
    }
    return false;
  }

  /// Which revisions compaction at `rev` leaves; see [KeyEntry#isKept]. For any thread.
  KeepCheck keepCheck(long rev, boolean withTombstones) {
    return new KeepCheck() {
      @Override
      public boolean isKept(byte[] record, long main, int sub) {
        KeyEntry entry = find(StoredKv.keyOf(record));
        return entry != null && entry.isKept(main, sub, rev, withTombstones);
      }

      @Override
      public boolean keepsAnything() {
        return IndexView.this.keepsAnything(rev, withTombstones);
      }
    };
  }

  Walk walk(KeyRange range) {
    return range.isEmpty() || range.isSingle() && find(range.startArray()) == null
        ? new Walk(null, range.startArray(), null)
        : new Walk(root, range.startArray(), range.isSingle() ? successor(range.startArray()) : range.endArray());
  }

  private static byte[] successor(byte[] key) {
    return Arrays.copyOf(key, key.length + 1);
  }

  void checkInvariants() {
    if (root != null) {
      root.checkInvariants(null, null);
    }
  }

  /// All entries of an interval in key order, deleted ones included. One thread's.
  static final class Walk {
    private static final int DEPTH_MAX = 12;

    private final byte @Nullable [] end;
    private final Node.Branch[] path = new Node.Branch[DEPTH_MAX];
    private final int[] at = new int[DEPTH_MAX];
    private int depth;
    private Node.@Nullable Leaf leaf;
    private int slot;
    private int stop;

    private Walk(@Nullable Node root, byte[] start, byte @Nullable [] end) {
      this.end = end;
      Node node = root;
      while (node instanceof Node.Branch branch) {
        path[depth] = branch;
        at[depth] = branch.childFor(start);
        node = branch.children[at[depth++]];
      }
      if (node instanceof Node.Leaf first) {
        enter(first, first.ceiling(start));
      }
    }

    private void enter(Node.Leaf next, int from) {
      leaf = next;
      slot = from;
      // Only the leaf that the end falls into is searched; a leaf wholly below it is taken as it is.
      boolean whole = end == null || Arrays.compareUnsigned(next.entries[next.size - 1].key, end) < 0;
      stop = whole ? next.size : next.ceiling(end);
    }

    /// The next entry; null at the end.
    @Nullable KeyEntry next() {
      Node.Leaf current = leaf;
      while (current != null) {
        if (slot < stop) {
          return current.entries[slot++];
        }
        current = stop < current.size ? null : nextLeaf();
        leaf = current;
      }
      return null;
    }

    private Node.@Nullable Leaf nextLeaf() {
      while (depth > 0 && at[depth - 1] + 1 == path[depth - 1].size) {
        depth--;
      }
      if (depth == 0) {
        return null;
      }
      Node node = path[depth - 1].children[++at[depth - 1]];
      while (node instanceof Node.Branch branch) {
        path[depth] = branch;
        at[depth] = 0;
        node = branch.children[0];
        depth++;
      }
      enter((Node.Leaf) node, 0);
      return (Node.Leaf) node;
    }
  }
}
