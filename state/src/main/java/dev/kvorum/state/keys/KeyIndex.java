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
  private @Nullable Node root;
  private long batch = 1;
  private int keyCount;
  private @Nullable IndexView view;

  // What the last recursive edit had to say besides its node.
  private @Nullable Node splitOff;
  private @Nullable KeyEntry before;
  private int liveDelta;

  public KeyIndex() {}

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
    return edit(key, old -> old == null ? new KeyEntry(key, main, sub) : old.put(main, sub));
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
            return KeyEntry.restored(key, main, sub, created, version, tombstone);
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
      KeyEntry entry = change.apply(null);
      root = Node.Leaf.of(batch, new KeyEntry[] {entry}, 1, entry.isLive() ? 1 : 0);
      keyCount++;
      return null;
    }
    liveDelta = 0;
    root = edit(root, key, change, true);
    if (splitOff != null) {
      root = Node.Branch.above(batch, root, splitOff);
      splitOff = null;
    }
    return before;
  }

  /// @param rightmost whether no key of the tree is above this subtree
  private Node edit(Node node, byte[] key, Change change, boolean rightmost) {
    return switch (node) {
      case Node.Leaf leaf -> editLeaf(leaf, key, change, rightmost);
      case Node.Branch branch -> editBranch(branch, key, change, rightmost);
    };
  }

  private Node.Leaf own(Node.Leaf leaf) {
    return leaf.owner == batch ? leaf : leaf.copy(batch);
  }

  private Node.Branch own(Node.Branch branch) {
    return branch.owner == batch ? branch : branch.copy(batch);
  }

  private Node editLeaf(Node.Leaf shared, byte[] key, Change change, boolean rightmost) {
    int at = shared.search(key);
    Node.Leaf leaf = own(shared);
    if (at >= 0) {
      KeyEntry old = leaf.entries[at];
      KeyEntry entry = change.apply(old);
      before = old;
      liveDelta = (entry.isLive() ? 1 : 0) - (old.isLive() ? 1 : 0);
      leaf.set(at, entry);
      return leaf;
    }
    at = -at - 1;
    KeyEntry entry = change.apply(null);
    liveDelta = entry.isLive() ? 1 : 0;
    keyCount++;
    if (leaf.size < Node.WIDTH) {
      leaf.insert(at, entry);
      return leaf;
    }
    Node.Leaf right = leaf.split(rightmost && at == leaf.size ? at : Node.WIDTH / 2);
    splitOff = right;
    if (at <= leaf.size && leaf.size < Node.WIDTH) {
      leaf.insert(at, entry);
    } else {
      right.insert(at - leaf.size, entry);
    }
    return leaf;
  }

  private Node editBranch(Node.Branch shared, byte[] key, Change change, boolean rightmost) {
    int at = shared.childFor(key);
    boolean last = rightmost && at == shared.size - 1;
    Node child = edit(shared.children[at], key, change, last);
    Node.Branch branch = own(shared);
    Node added = splitOff;
    if (added == null) {
      branch.set(at, child, branch.liveAt(at) + liveDelta);
      return branch;
    }
    splitOff = null;
    branch.set(at, child, child.live());
    if (branch.size < Node.WIDTH) {
      branch.insert(at + 1, added);
      return branch;
    }
    Node.Branch right = branch.split(last ? branch.size - 1 : Node.WIDTH / 2);
    splitOff = right;
    if (at < branch.size) {
      branch.insert(at + 1, added);
    } else {
      right.insert(at + 1 - branch.size, added);
    }
    return branch;
  }

  /// Compacts at `rev` the leaf that `from` falls into.
  ///
  /// @return the first key not yet looked at, for the next call; null when that was the last leaf
  byte @Nullable [] compactLeaf(byte[] from, long rev) {
    byte[] next = null;
    Node node = root;
    while (node instanceof Node.Branch branch) {
      int at = branch.childFor(from);
      if (at + 1 < branch.size) {
        next = branch.bounds[at + 1];
      }
      node = branch.children[at];
    }
    if (node instanceof Node.Leaf leaf && isTouched(leaf, rev) && root != null) {
      view = null;
      root = collapsed(compact(root, from, rev));
    }
    return next;
  }

  private static boolean isTouched(Node.Leaf leaf, long rev) {
    for (int i = 0; i < leaf.size; i++) {
      int first = leaf.entries[i].lastAtOrBelow(rev);
      if (first > 0 || first == 0 && leaf.entries[i].isTombstone(0) && leaf.entries[i].mainAt(0) < rev) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable Node collapsed(@Nullable Node node) {
    Node top = node;
    while (top instanceof Node.Branch branch && branch.size == 1) {
      top = branch.children[0];
    }
    return top;
  }

  /// @return what replaces `node`; null when nothing is left of it
  private @Nullable Node compact(Node node, byte[] from, long rev) {
    return switch (node) {
      case Node.Leaf leaf -> compactEntries(leaf, rev);
      case Node.Branch shared -> {
        int at = shared.childFor(from);
        Node child = compact(shared.children[at], from, rev);
        Node.Branch branch = own(shared);
        if (child == null) {
          branch.remove(at);
        } else {
          branch.set(at, child, child.live());
          if (child.size < Node.WIDTH_MIN) {
            joinChild(branch, at);
          }
        }
        yield branch.size == 0 ? null : branch;
      }
    };
  }

  private Node.@Nullable Leaf compactEntries(Node.Leaf leaf, long rev) {
    KeyEntry[] kept = new KeyEntry[leaf.size];
    long mask = 0;
    int count = 0;
    for (int i = 0; i < leaf.size; i++) {
      KeyEntry entry = leaf.entries[i].compacted(rev);
      if (entry != null) {
        mask |= entry.isLive() ? 1L << count : 0;
        kept[count++] = entry;
      }
    }
    keyCount -= leaf.size - count;
    return count == 0 ? null : Node.Leaf.of(batch, Arrays.copyOf(kept, count), count, mask);
  }

  /// Joins child `at` of a branch we own with a neighbour, if both together leave room to grow.
  private void joinChild(Node.Branch branch, int at) {
    if (at > 0 && joined(branch, at - 1)) {
      return;
    }
    if (at + 1 < branch.size) {
      joined(branch, at);
    }
  }

  private boolean joined(Node.Branch branch, int left) {
    Node a = branch.children[left];
    Node b = branch.children[left + 1];
    if (a.size + b.size > Node.JOINED_MAX) {
      return false;
    }
    Node both;
    if (a instanceof Node.Leaf leafA && b instanceof Node.Leaf leafB) {
      both = leafA.join(leafB, batch);
    } else if (a instanceof Node.Branch branchA && b instanceof Node.Branch branchB) {
      both = branchA.join(branchB, branch.bounds[left + 1], batch);
    } else {
      throw Invariant.unreachable("siblings of different height");
    }
    branch.set(left, both, branch.liveAt(left) + branch.liveAt(left + 1));
    branch.remove(left + 1);
    return true;
  }

  /// Walks the whole tree: order, bounds, counts. For tests and the simulator.
  public void checkInvariants() {
    IndexView now = peek();
    now.checkInvariants();
    int count = 0;
    IndexView.Walk walk = now.walk(KeyRange.from(dev.kvorum.env.Bytes.EMPTY));
    while (walk.next() != null) {
      count++;
    }
    Invariant.check(count == keyCount, "key count is wrong");
  }
}
