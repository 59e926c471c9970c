package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// User key → the revisions of its generations: a persistent B+ tree in byte order, owned by the apply loop.
///
/// A change copies the nodes on its path, unless this batch of changes made them: those it edits in place. [#view]
/// ends the batch: what it returns is never touched again, so that a thousand puts between two views copy each node at
/// most once, and readers need nothing but a root.
///
/// ```
///  batch 7: put a  → copies leaf L and root R as L7, R7
///           put b  → same leaf: edits L7
///           view   → (R7), and batch 8 begins
///  batch 8: put c  → copies L7 and R7 as L8, R8; readers of (R7) see neither
/// ```
/// Each branch knows how many live keys its children hold, so counting a range is two walks down. Leaves split where a
/// key is added behind the last one, not in the middle, so that keys created in order fill their leaves.
public final class KeyIndex {
  private final RowLayout.Catalogue layouts = new RowLayout.Catalogue();
  private @Nullable Node root;
  private long batch = 1;
  private int keyCount;
  private @Nullable IndexView view;

  // What the last recursive edit had to say besides its node.
  private @Nullable Node splitOff;
  private byte[] splitBound = new byte[0];
  private @Nullable KeyEntry before;
  private int liveDelta;

  public KeyIndex() {}

  /// One with these keys, taken in order.
  static KeyIndex of(KeyIndexLoader.Source source) {
    KeyIndex index = new KeyIndex();
    KeyIndexLoader loader = new KeyIndexLoader(index.batch, index.layouts);
    while (source.next()) {
      loader.add(source.key(), source.entry());
    }
    index.root = loader.finish();
    index.keyCount = loader.keyCount();
    return index;
  }

  /// The tree as it is now, unchanging.
  IndexView view() {
    IndexView current = view;
    if (current == null) {
      current = new IndexView(root);
      view = current;
      batch++;
    }
    return current;
  }

  /// The tree as it is now, for the apply loop to look at before its next change only; does not end the batch.
  IndexView peek() {
    IndexView current = view;
    return current != null ? current : new IndexView(root);
  }

  /// Keys known, deleted but not yet compacted ones included.
  public int keyCount() {
    return keyCount;
  }

  /// Adds a revision to `key`, which is kept if it is new.
  ///
  /// @return what the index knew of the key before
  @Nullable KeyEntry put(byte[] key, long main, int sub) {
    return edit(key, old -> old == null ? KeyEntry.created(main, sub) : old.put(main, sub));
  }

  /// Marks a live `key` as deleted. @return what the index knew of the key before
  KeyEntry tombstone(byte[] key, long main, int sub) {
    KeyEntry old =
        edit(
            key,
            entry -> {
              Invariant.check(entry != null, "an unknown key is deleted");
              return entry.tombstone(main, sub);
            });
    if (old == null) {
      throw Invariant.unreachable("an unknown key is deleted");
    }
    return old;
  }

  /// Adds a revision read from the file; they come in order of revision.
  void restore(byte[] key, long main, int sub, long created, long version, boolean tombstone) {
    edit(
        key,
        old -> {
          if (old == null) {
            return KeyEntry.restored(main, sub, created, version, tombstone);
          }
          return tombstone ? old.restoredTombstone(main, sub) : old.put(main, sub);
        });
  }

  @FunctionalInterface
  private interface Change {
    KeyEntry apply(@Nullable KeyEntry old);
  }

  private @Nullable KeyEntry edit(byte[] key, Change change) {
    view = null;
    before = null;
    if (root == null) {
      root = Leaf.of(batch, layouts, key, change.apply(null));
      keyCount++;
      return null;
    }
    liveDelta = 0;
    root = edit(root, key, change, true);
    if (splitOff != null) {
      root = Branch.above(batch, root, splitBound, splitOff);
      splitOff = null;
    }
    return before;
  }

  /// @param rightmost whether no key of the tree is above this subtree
  private Node edit(Node node, byte[] key, Change change, boolean rightmost) {
    return switch (node) {
      case Leaf leaf -> editLeaf(leaf, key, change, rightmost);
      case Branch branch -> editBranch(branch, key, change, rightmost);
    };
  }

  private Branch own(Branch branch) {
    return branch.owner == batch ? branch : branch.copy(batch);
  }

  private Leaf editLeaf(Leaf shared, byte[] key, Change change, boolean rightmost) {
    int at = shared.search(key);
    if (at >= 0) {
      KeyEntry old = shared.entry(at);
      KeyEntry entry = change.apply(old);
      Leaf leaf = shared.owner == batch ? shared : shared.copy(batch);
      leaf.set(at, entry, layouts);
      before = old;
      liveDelta = (entry.isLive() ? 1 : 0) - (old.isLive() ? 1 : 0);
      return leaf;
    }
    at = -at - 1;
    KeyEntry entry = change.apply(null);
    liveDelta = entry.isLive() ? 1 : 0;
    keyCount++;
    return shared.hasRoomFor(key)
        ? shared.inserted(batch, layouts, at, key, entry)
        : splitLeaf(shared, at, key, entry, rightmost && at == shared.size());
  }

  /// @param appending whether the new key is above all others of the tree
  private Leaf splitLeaf(Leaf full, int at, byte[] key, KeyEntry entry, boolean appending) {
    int size = full.size();
    if (appending || size == 1) {
      Leaf added = Leaf.of(batch, layouts, key, entry);
      splitOff = at == 0 ? full : added;
      splitBound = at == 0 ? Leaf.divider(key, full.key(0)) : Leaf.divider(full.key(size - 1), key);
      return at == 0 ? added : full;
    }
    int cut = size / 2;
    Leaf left = full.slice(batch, 0, cut);
    Leaf right = full.slice(batch, cut, size);
    splitBound = Leaf.divider(full.key(cut - 1), full.key(cut));
    if (at < cut || at == cut && Arrays.compareUnsigned(key, splitBound) < 0) {
      left = left.inserted(batch, layouts, at, key, entry);
    } else {
      right = right.inserted(batch, layouts, at - cut, key, entry);
    }
    splitOff = right;
    return left;
  }

  private Node editBranch(Branch shared, byte[] key, Change change, boolean rightmost) {
    int at = shared.childFor(key);
    boolean last = rightmost && at == shared.size - 1;
    Node child = edit(shared.children[at], key, change, last);
    Branch branch = own(shared);
    Node added = splitOff;
    if (added == null) {
      branch.set(at, child, branch.liveAt(at) + liveDelta);
      return branch;
    }
    byte[] bound = splitBound;
    splitOff = null;
    branch.set(at, child, child.live());
    if (branch.size < Branch.WIDTH) {
      branch.insert(at + 1, bound, added);
      return branch;
    }
    Branch right = branch.split(last ? branch.size - 1 : Branch.WIDTH / 2);
    splitOff = right;
    splitBound = right.bounds[0];
    if (at < branch.size) {
      branch.insert(at + 1, bound, added);
    } else {
      right.insert(at + 1 - branch.size, bound, added);
    }
    return branch;
  }

  /// Compacts at `rev` the leaf that `from` falls into.
  ///
  /// @return where the next call begins; null when that was the last leaf
  byte @Nullable [] compactLeaf(byte[] from, long rev) {
    byte[] next = null;
    Node node = root;
    while (node instanceof Branch branch) {
      int at = branch.childFor(from);
      if (at + 1 < branch.size) {
        next = branch.bounds[at + 1];
      }
      node = branch.children[at];
    }
    if (node instanceof Leaf leaf && isTouched(leaf, rev) && root != null) {
      view = null;
      root = collapsed(compact(root, from, rev));
    }
    return next;
  }

  private static boolean isTouched(Leaf leaf, long rev) {
    for (int row = 0; row < leaf.size(); row++) {
      boolean goes = leaf.hasOlder(row) ? leaf.entry(row).firstKept(rev) > 0 : !leaf.isLive(row) && leaf.main(row) < rev;
      if (goes) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable Node collapsed(@Nullable Node node) {
    Node top = node;
    while (top instanceof Branch branch && branch.size == 1) {
      top = branch.children[0];
    }
    return top;
  }

  /// @return what replaces `node`; null when nothing is left of it
  private @Nullable Node compact(Node node, byte[] from, long rev) {
    return switch (node) {
      case Leaf leaf -> compactEntries(leaf, rev);
      case Branch shared -> {
        int at = shared.childFor(from);
        Node child = compact(shared.children[at], from, rev);
        Branch branch = own(shared);
        if (child == null) {
          branch.remove(at);
        } else {
          branch.set(at, child, child.live());
          if (child.size() < (child instanceof Leaf ? Leaf.WIDTH_MIN : Branch.WIDTH_MIN)) {
            joinChild(branch, at);
          }
        }
        yield branch.size == 0 ? null : branch;
      }
    };
  }

  private @Nullable Leaf compactEntries(Leaf leaf, long rev) {
    byte[][] keys = new byte[leaf.size()][];
    KeyEntry[] kept = new KeyEntry[leaf.size()];
    int count = 0;
    for (int row = 0; row < leaf.size(); row++) {
      KeyEntry entry = leaf.entry(row).compacted(rev);
      if (entry != null) {
        keys[count] = leaf.key(row);
        kept[count++] = entry;
      }
    }
    keyCount -= leaf.size() - count;
    return count == 0 ? null : Leaf.of(batch, layouts, keys, kept, 0, count);
  }

  /// Joins child `at` of a branch we own with a neighbour, if both together leave room to grow.
  private void joinChild(Branch branch, int at) {
    if (at > 0 && joined(branch, at - 1)) {
      return;
    }
    if (at + 1 < branch.size) {
      joined(branch, at);
    }
  }

  private boolean joined(Branch branch, int left) {
    Node a = branch.children[left];
    Node b = branch.children[left + 1];
    Node both;
    if (a instanceof Leaf leafA && b instanceof Leaf leafB) {
      both = leafA.fitsWith(leafB) ? leafA.join(leafB, batch, layouts) : null;
    } else if (a instanceof Branch branchA && b instanceof Branch branchB) {
      boolean fits = a.size() + b.size() <= Branch.WIDTH_LOADED;
      both = fits ? branchA.join(branchB, branch.bounds[left + 1], batch) : null;
    } else {
      throw Invariant.unreachable("siblings of different height");
    }
    if (both == null) {
      return false;
    }
    branch.set(left, both, branch.liveAt(left) + branch.liveAt(left + 1));
    branch.remove(left + 1);
    return true;
  }

  /// Bytes on the heap, as a compressed-pointer JVM lays them out. Walks the whole tree.
  long heapBytes() {
    return root == null ? 0 : root.heapBytes();
  }

  /// Walks the whole tree: order, bounds, counts. For tests and the simulator.
  public void checkInvariants() {
    IndexView now = peek();
    now.checkInvariants();
    int count = 0;
    IndexView.Walk walk = now.walk(KeyRange.from(dev.kvorum.env.Bytes.EMPTY));
    while (walk.next()) {
      count++;
    }
    Invariant.check(count == keyCount, "key count is wrong");
  }
}
