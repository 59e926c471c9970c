package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
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
    Leaf leaf = leafOf(key);
    int at = leaf == null ? -1 : leaf.search(key);
    return leaf == null || at < 0 ? null : leaf.entry(at);
  }

  private @Nullable Leaf leafOf(byte[] key) {
    Node node = root;
    while (node instanceof Branch branch) {
      node = branch.children[branch.childFor(key)];
    }
    return (Leaf) node;
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
    return rev == LATEST ? countLatest(range) : walk(range).countLive(rev);
  }

  private boolean keepsAnything(long rev, boolean withTombstones) {
    Walk walk = new Walk(root, new byte[0], null);
    while (walk.next()) {
      KeyEntry entry = walk.entry();
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

  /// All entries of an interval in key order, deleted ones included. One thread's; it makes no objects on the way.
  static final class Walk {
    private static final int DEPTH_MAX = 16;

    private final byte @Nullable [] end;
    private final Branch[] path = new Branch[DEPTH_MAX];
    private final int[] at = new int[DEPTH_MAX];
    private int depth;
    private @Nullable Leaf leaf;
    private int slot = -1;
    private int stop;

    private long foundMain;
    private int foundSub;
    private int foundAt;

    private Walk(@Nullable Node root, byte[] start, byte @Nullable [] end) {
      this.end = end;
      Node node = root;
      while (node instanceof Branch branch) {
        path[depth] = branch;
        at[depth] = branch.childFor(start);
        node = branch.children[at[depth++]];
      }
      if (node instanceof Leaf first) {
        enter(first, first.ceiling(start));
      }
    }

    private void enter(Leaf next, int from) {
      leaf = next;
      slot = from - 1;
      // Only the leaf that the end falls into is searched; a leaf wholly below it is taken as it is.
      boolean whole = end == null || next.compareKey(next.size() - 1, end) < 0;
      stop = whole ? next.size() : next.ceiling(end);
    }

    /// Moves on. @return false at the end; else the following may be asked about the key stood on
    boolean next() {
      Leaf current = leaf;
      while (current != null) {
        if (++slot < stop) {
          return true;
        }
        current = stop < current.size() ? null : nextLeaf();
        leaf = current;
      }
      return false;
    }

    private @Nullable Leaf nextLeaf() {
      while (depth > 0 && at[depth - 1] + 1 == path[depth - 1].size) {
        depth--;
      }
      if (depth == 0) {
        return null;
      }
      Node node = path[depth - 1].children[++at[depth - 1]];
      while (node instanceof Branch branch) {
        path[depth] = branch;
        at[depth] = 0;
        node = branch.children[0];
        depth++;
      }
      enter((Leaf) node, 0);
      return (Leaf) node;
    }

    private Leaf leaf() {
      if (leaf == null) {
        throw Invariant.unreachable("a walk at its end is asked for a key");
      }
      return leaf;
    }

    /// A copy.
    byte[] key() {
      return leaf().key(slot);
    }

    boolean isLive() {
      return leaf().isLive(slot);
    }

    KeyEntry entry() {
      return leaf().entry(slot);
    }

    /// Moves on to the next key present at `rev`, of which [#foundMain] and the others then tell.
    boolean nextLive(long rev) {
      while (next()) {
        if (isLiveAt(rev)) {
          return true;
        }
      }
      return false;
    }

    /// Whether the key stood on is present at `rev`; if so, [#foundMain] and the others tell of it.
    boolean isLiveAt(long rev) {
      Leaf current = leaf();
      long main = current.main(slot);
      if (main <= rev) {
        foundMain = main;
        foundSub = current.sub(slot);
        foundAt = -1;
        return current.isLive(slot);
      }
      if (!current.hasOlder(slot)) {
        return false;
      }
      KeyEntry entry = current.entry(slot);
      foundAt = entry.liveAt(rev);
      if (foundAt < 0) {
        return false;
      }
      foundMain = entry.mainAt(foundAt);
      foundSub = entry.subAt(foundAt);
      return true;
    }

    /// The revision in force of the key that [#nextLive] found.
    long foundMain() {
      return foundMain;
    }

    /// Its sub.
    int foundSub() {
      return foundSub;
    }

    long foundCreated() {
      KeyEntry entry = entry();
      return entry.createdAt(foundAt < 0 ? entry.last() : foundAt);
    }

    long foundVersion() {
      KeyEntry entry = entry();
      return entry.versionAt(foundAt < 0 ? entry.last() : foundAt);
    }

    /// How many keys present at `rev` are left.
    long countLive(long rev) {
      long count = 0;
      while (nextLive(rev)) {
        count++;
      }
      return count;
    }
  }
}
