package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A node of the index tree. Immutable once published; until then its creator may edit it in place.
///
/// `owner` is the number of the batch of edits that made the node. The tree's writer edits a node in place only when
/// that is the batch it is in, and copies it otherwise ([KeyIndex]). A copy shares those arrays with its original that
/// most edits leave alone, and copies them when it must.
///
/// **Heads.** Keys are scattered over the heap: a binary search among 64 of them would wait for memory a dozen times.
/// So a node keeps, side by side, the four bytes of each key that follow the `prefix` bytes which all of them share.
/// These find the place; then one key is looked at, to be sure. Heads are kept with the top bit flipped, so that signed
/// comparison orders them as bytes; keys that end early are padded with zeros, so equal heads say nothing and keys
/// decide.
abstract sealed class Node permits Node.Leaf, Node.Branch {
  /// Entries of a full leaf, and children of a full branch. A leaf marks its live entries in the bits of one long.
  static final int WIDTH = 64;

  /// Below this a node looks for a sibling to join.
  static final int WIDTH_MIN = 16;

  /// The widest node a join makes: leaving room, so that the next insert does not split it again.
  static final int JOINED_MAX = 48;

  private static final int ROOM = 4;

  final long owner;
  int size;
  int prefix;
  int[] heads;
  boolean sharesHeads;

  private Node(long owner, int size, int prefix, int[] heads) {
    this.owner = owner;
    this.size = size;
    this.prefix = prefix;
    this.heads = heads;
  }

  /// Key `i` in order: an entry's, or the bound of a child. Of a branch, from 1 on.
  abstract byte[] keyAt(int i);

  /// 1 for a branch, whose first child has no bound.
  abstract int firstHead();

  abstract byte[] firstKey();

  /// Keys in this subtree whose newest revision is not a tombstone.
  abstract int live();

  /// Live keys in this subtree that are below `key`.
  abstract int liveBelow(byte[] key);

  abstract void checkInvariants(byte @Nullable [] low, byte @Nullable [] high);

  static int grown(int size) {
    return Math.min(WIDTH, size + ROOM);
  }

  private static int head(byte[] key, int from) {
    int head = 0;
    for (int i = from; i < from + Integer.BYTES; i++) {
      head = head << 8 | (i < key.length ? key[i] & 0xff : 0);
    }
    return head ^ Integer.MIN_VALUE;
  }

  final int headOf(byte[] key) {
    int from = prefix;
    if (from + Integer.BYTES > key.length) {
      return head(key, from);
    }
    int head = key[from] << 24 | (key[from + 1] & 0xff) << 16 | (key[from + 2] & 0xff) << 8 | key[from + 3] & 0xff;
    return head ^ Integer.MIN_VALUE;
  }

  /// The first position whose head is at least `head`.
  final int lowerBound(int head) {
    int low = firstHead();
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (heads[middle] < head) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// How `key` stands to key `i`: 0 when equal, -2 or 2 when they differ within the prefix, so that it is below or
  /// above all keys of the node, else -1 or 1.
  final int order(byte[] key, int i) {
    byte[] other = keyAt(i);
    int differ = Arrays.mismatch(key, other);
    if (differ < 0) {
      return 0;
    }
    boolean below = differ == key.length || differ < other.length && (key[differ] & 0xff) < (other[differ] & 0xff);
    int order = differ < prefix ? 2 : 1;
    return below ? -order : order;
  }

  /// Computes the prefix and all heads anew.
  final void rehead() {
    if (sharesHeads || heads.length < size) {
      heads = new int[Math.max(heads.length, size)];
      sharesHeads = false;
    }
    int first = firstHead();
    prefix = 0;
    if (size <= first) {
      return;
    }
    byte[] lowest = keyAt(first);
    int shared = Arrays.mismatch(lowest, keyAt(size - 1));
    prefix = shared < 0 ? lowest.length : shared;
    for (int i = first; i < size; i++) {
      heads[i] = head(keyAt(i), prefix);
    }
  }

  /// Makes room for a key at `at` and takes its head; the key is in its place already.
  final void insertHead(int at, byte[] key) {
    if (sharesHeads || heads.length < size) {
      heads = Arrays.copyOf(heads, Math.max(size, grown(size - 1)));
      sharesHeads = false;
    }
    int first = firstHead();
    boolean alone = size == first + 1;
    int shared = alone ? -1 : Arrays.mismatch(key, keyAt(at == first ? first + 1 : first));
    if (alone || shared >= 0 && shared < prefix) {
      rehead();
      return;
    }
    System.arraycopy(heads, at, heads, at + 1, size - 1 - at);
    heads[at] = head(key, prefix);
  }

  final void checkHeads() {
    for (int i = firstHead(); i < size; i++) {
      Invariant.check(heads[i] == head(keyAt(i), prefix), "a head is not its key's");
      Invariant.check(
          keyAt(i).length >= prefix && Arrays.equals(keyAt(i), 0, prefix, keyAt(firstHead()), 0, prefix),
          "a key without the common prefix");
    }
  }

  private static void checkBetween(byte[] key, byte @Nullable [] low, byte @Nullable [] high) {
    Invariant.check(low == null || Arrays.compareUnsigned(key, low) >= 0, "key below its subtree's bound");
    Invariant.check(high == null || Arrays.compareUnsigned(key, high) < 0, "key not below the next subtree's bound");
  }

  /// Entries in key order.
  static final class Leaf extends Node {
    KeyEntry[] entries;
    long liveMask;

    private Leaf(long owner, KeyEntry[] entries, int size, long liveMask, int prefix, int[] heads) {
      super(owner, size, prefix, heads);
      this.entries = entries;
      this.liveMask = liveMask;
    }

    /// @param entries with room behind the first `size`, if any
    static Leaf of(long owner, KeyEntry[] entries, int size, long liveMask) {
      Leaf leaf = new Leaf(owner, entries, size, liveMask, 0, new int[entries.length]);
      leaf.rehead();
      return leaf;
    }

    Leaf copy(long newOwner) {
      Leaf copy = new Leaf(newOwner, Arrays.copyOf(entries, entries.length), size, liveMask, prefix, heads);
      copy.sharesHeads = true;
      return copy;
    }

    @Override
    byte[] keyAt(int i) {
      return entries[i].key;
    }

    @Override
    int firstHead() {
      return 0;
    }

    /// Where `key` is, or `-(where it belongs) - 1`.
    int search(byte[] key) {
      int head = headOf(key);
      int at = lowerBound(head);
      int looked = Math.min(at, size - 1);
      while (looked >= 0) {
        int order = order(key, looked);
        if (order == 0) {
          return looked;
        }
        if (order == 2 || order == -2) {
          return order < 0 ? -1 : -size - 1;
        }
        if (order < 0 || looked != at) {
          break;
        }
        at++;
        if (at == size || heads[at] != head) {
          break;
        }
        looked = at;
      }
      return -at - 1;
    }

    /// The position of the first entry not below `key`.
    int ceiling(byte[] key) {
      int at = search(key);
      return at >= 0 ? at : -at - 1;
    }

    void set(int at, KeyEntry entry) {
      entries[at] = entry;
      long bit = 1L << at;
      liveMask = entry.isLive() ? liveMask | bit : liveMask & ~bit;
    }

    /// Needs `size < WIDTH`.
    void insert(int at, KeyEntry entry) {
      if (size == entries.length) {
        entries = Arrays.copyOf(entries, grown(size));
      }
      System.arraycopy(entries, at, entries, at + 1, size - at);
      long below = liveMask & ((1L << at) - 1);
      liveMask = below | (liveMask ^ below) << 1;
      size++;
      set(at, entry);
      insertHead(at, entry.key);
    }

    /// Moves entries from `at` on to a new leaf; `at` is not 0.
    Leaf split(int at) {
      int moved = size - at;
      KeyEntry[] right = new KeyEntry[grown(moved)];
      System.arraycopy(entries, at, right, 0, moved);
      Arrays.fill(entries, at, size, null);
      long rightMask = at == WIDTH ? 0 : liveMask >>> at;
      liveMask = at == WIDTH ? liveMask : liveMask & ((1L << at) - 1);
      size = at;
      if (moved > 0) {
        rehead();
      }
      return of(owner, right, moved, rightMask);
    }

    Leaf join(Leaf right, long newOwner) {
      KeyEntry[] joined = Arrays.copyOf(entries, size + right.size);
      System.arraycopy(right.entries, 0, joined, size, right.size);
      return of(newOwner, joined, size + right.size, liveMask | right.liveMask << size);
    }

    @Override
    byte[] firstKey() {
      return entries[0].key;
    }

    @Override
    int live() {
      return Long.bitCount(liveMask);
    }

    @Override
    int liveBelow(byte[] key) {
      int at = ceiling(key);
      return at == WIDTH ? live() : Long.bitCount(liveMask & ((1L << at) - 1));
    }

    @Override
    void checkInvariants(byte @Nullable [] low, byte @Nullable [] high) {
      Invariant.check(size > 0 && size <= WIDTH && size <= entries.length, "leaf size");
      for (int i = 0; i < size; i++) {
        checkBetween(entries[i].key, low, high);
        Invariant.check(
            i == 0 || Arrays.compareUnsigned(entries[i - 1].key, entries[i].key) < 0, "leaf keys out of order");
        Invariant.check(entries[i].isLive() == ((liveMask >>> i & 1) != 0), "live mark is wrong");
      }
      Invariant.check(size == WIDTH || liveMask >>> size == 0, "live marks past the end");
      checkHeads();
    }
  }

  /// Children in key order. `bounds[i]` is at or below all keys of child i and above those of child i-1; `bounds[0]`
  /// is not looked at.
  static final class Branch extends Node {
    Node[] children;
    byte[][] bounds;
    private int[] lives;
    private boolean sharesBounds;
    private boolean sharesLives;

    private Branch(long owner, Node[] children, byte[][] bounds, int[] lives, int size, int prefix, int[] heads) {
      super(owner, size, prefix, heads);
      this.children = children;
      this.bounds = bounds;
      this.lives = lives;
    }

    private static Branch of(long owner, Node[] children, byte[][] bounds, int[] lives, int size) {
      Branch branch = new Branch(owner, children, bounds, lives, size, 0, new int[children.length]);
      branch.rehead();
      return branch;
    }

    /// A root above a child that was split.
    static Branch above(long owner, Node left, Node right) {
      Node[] children = Arrays.copyOf(new Node[] {left, right}, ROOM);
      byte[][] bounds = Arrays.copyOf(new byte[][] {left.firstKey(), right.firstKey()}, ROOM);
      int[] lives = Arrays.copyOf(new int[] {left.live(), right.live()}, ROOM);
      return of(owner, children, bounds, lives, 2);
    }

    Branch copy(long newOwner) {
      Branch copy =
          new Branch(newOwner, Arrays.copyOf(children, children.length), bounds, lives, size, prefix, heads);
      copy.sharesHeads = true;
      copy.sharesBounds = true;
      copy.sharesLives = true;
      return copy;
    }

    @Override
    byte[] keyAt(int i) {
      return bounds[i];
    }

    @Override
    int firstHead() {
      return 1;
    }

    /// The child whose interval `key` is in.
    int childFor(byte[] key) {
      if (size == 1) {
        return 0;
      }
      int head = headOf(key);
      int at = head == Integer.MAX_VALUE ? size - 1 : lowerBound(head + 1) - 1;
      int order = order(key, Math.max(at, 1));
      if (order == 2 || order == -2) {
        return order < 0 ? 0 : size - 1;
      }
      while (at > 0 && order < 0) {
        at--;
        order = at > 0 ? order(key, at) : 0;
      }
      return at;
    }

    private void unshare(int capacity) {
      if (sharesBounds || bounds.length != capacity) {
        bounds = Arrays.copyOf(bounds, capacity);
        sharesBounds = false;
      }
      if (sharesLives || lives.length != capacity) {
        lives = Arrays.copyOf(lives, capacity);
        sharesLives = false;
      }
      if (sharesHeads || heads.length != capacity) {
        heads = Arrays.copyOf(heads, capacity);
        sharesHeads = false;
      }
      if (children.length != capacity) {
        children = Arrays.copyOf(children, capacity);
      }
    }

    /// Replaces child `at` by another version of it.
    void set(int at, Node child, int live) {
      children[at] = child;
      if (lives[at] != live) {
        if (sharesLives) {
          lives = lives.clone();
          sharesLives = false;
        }
        lives[at] = live;
      }
    }

    int liveAt(int at) {
      return lives[at];
    }

    /// Needs `size < WIDTH` and `at > 0`.
    void insert(int at, Node child) {
      unshare(size == children.length ? grown(size) : children.length);
      System.arraycopy(children, at, children, at + 1, size - at);
      System.arraycopy(bounds, at, bounds, at + 1, size - at);
      System.arraycopy(lives, at, lives, at + 1, size - at);
      size++;
      children[at] = child;
      bounds[at] = child.firstKey();
      lives[at] = child.live();
      insertHead(at, bounds[at]);
    }

    void remove(int at) {
      unshare(children.length);
      System.arraycopy(children, at + 1, children, at, size - at - 1);
      System.arraycopy(bounds, at + 1, bounds, at, size - at - 1);
      System.arraycopy(lives, at + 1, lives, at, size - at - 1);
      System.arraycopy(heads, at + 1, heads, at, size - at - 1);
      size--;
      children[size] = null;
      bounds[size] = null;
      lives[size] = 0;
    }

    /// Moves children from `at` on to a new branch.
    Branch split(int at) {
      unshare(children.length);
      int moved = size - at;
      int length = grown(moved);
      Node[] rightChildren = new Node[length];
      byte[][] rightBounds = new byte[length][];
      int[] rightLives = new int[length];
      System.arraycopy(children, at, rightChildren, 0, moved);
      System.arraycopy(bounds, at, rightBounds, 0, moved);
      System.arraycopy(lives, at, rightLives, 0, moved);
      Arrays.fill(children, at, size, null);
      Arrays.fill(bounds, at, size, null);
      Arrays.fill(lives, at, size, 0);
      size = at;
      rehead();
      return of(owner, rightChildren, rightBounds, rightLives, moved);
    }

    /// @param rightBound this branch's parent's bound of `right`
    Branch join(Branch right, byte[] rightBound, long newOwner) {
      int joined = size + right.size;
      Node[] newChildren = Arrays.copyOf(children, joined);
      byte[][] newBounds = Arrays.copyOf(bounds, joined);
      int[] newLives = Arrays.copyOf(lives, joined);
      System.arraycopy(right.children, 0, newChildren, size, right.size);
      System.arraycopy(right.bounds, 0, newBounds, size, right.size);
      System.arraycopy(right.lives, 0, newLives, size, right.size);
      newBounds[size] = rightBound;
      return of(newOwner, newChildren, newBounds, newLives, joined);
    }

    @Override
    byte[] firstKey() {
      return children[0].firstKey();
    }

    @Override
    int live() {
      return liveUpTo(size);
    }

    private int liveUpTo(int end) {
      int sum = 0;
      for (int i = 0; i < end; i++) {
        sum += lives[i];
      }
      return sum;
    }

    @Override
    int liveBelow(byte[] key) {
      int at = childFor(key);
      return liveUpTo(at) + children[at].liveBelow(key);
    }

    @Override
    void checkInvariants(byte @Nullable [] low, byte @Nullable [] high) {
      Invariant.check(size > 0 && size <= WIDTH && size <= children.length, "branch size");
      for (int i = 0; i < size; i++) {
        byte[] childLow = i == 0 ? low : bounds[i];
        byte[] childHigh = i + 1 == size ? high : bounds[i + 1];
        if (i > 0) {
          checkBetween(bounds[i], low, high);
        }
        Invariant.check(children[i].owner <= owner, "a child is younger than its parent");
        Invariant.check(children[i].live() == lives[i], "live count is wrong");
        children[i].checkInvariants(childLow, childHigh);
      }
      checkHeads();
    }
  }
}
