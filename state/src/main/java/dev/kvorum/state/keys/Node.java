package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A node of the index tree. Immutable once published; until then its creator may edit it in place.
///
/// `owner` is the number of the batch of edits that made the node. The tree's writer edits a node in place only when
/// that is the batch it is in, and copies it otherwise ([KeyIndex]).
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

  private Node(long owner, int size) {
    this.owner = owner;
    this.size = size;
  }

  abstract byte[] firstKey();

  /// Keys in this subtree whose newest revision is not a tombstone.
  abstract int live();

  /// Live keys in this subtree that are below `key`.
  abstract int liveBelow(byte[] key);

  abstract void checkInvariants(byte @Nullable [] low, byte @Nullable [] high);

  static int grown(int size) {
    return Math.min(WIDTH, size + ROOM);
  }

  private static void checkBetween(byte[] key, byte @Nullable [] low, byte @Nullable [] high) {
    Invariant.check(low == null || Arrays.compareUnsigned(key, low) >= 0, "key below its subtree's bound");
    Invariant.check(high == null || Arrays.compareUnsigned(key, high) < 0, "key not below the next subtree's bound");
  }

  /// Entries in key order.
  static final class Leaf extends Node {
    KeyEntry[] entries;
    long liveMask;

    Leaf(long owner, KeyEntry[] entries, int size, long liveMask) {
      super(owner, size);
      this.entries = entries;
      this.liveMask = liveMask;
    }

    Leaf copy(long newOwner) {
      return new Leaf(newOwner, Arrays.copyOf(entries, entries.length), size, liveMask);
    }

    /// Where `key` is, or `-(where it belongs) - 1`.
    int search(byte[] key) {
      int low = 0;
      int high = size - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        int order = Arrays.compareUnsigned(entries[middle].key, key);
        if (order < 0) {
          low = middle + 1;
        } else if (order > 0) {
          high = middle - 1;
        } else {
          return middle;
        }
      }
      return -low - 1;
    }

    /// The position of the first entry not below `key`.
    int ceiling(byte[] key) {
      int at = search(key);
      return at >= 0 ? at : -at - 1;
    }

    void set(int at, KeyEntry entry) {
      entries[at] = entry;
      mark(at, entry.isLive());
    }

    private void mark(int at, boolean live) {
      long bit = 1L << at;
      liveMask = live ? liveMask | bit : liveMask & ~bit;
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
    }

    /// Moves entries from `at` on to a new leaf.
    Leaf split(int at) {
      int moved = size - at;
      KeyEntry[] right = new KeyEntry[grown(moved)];
      System.arraycopy(entries, at, right, 0, moved);
      Arrays.fill(entries, at, size, null);
      long rightMask = at == WIDTH ? 0 : liveMask >>> at;
      liveMask = at == WIDTH ? liveMask : liveMask & ((1L << at) - 1);
      size = at;
      return new Leaf(owner, right, moved, rightMask);
    }

    Leaf join(Leaf right, long newOwner) {
      KeyEntry[] joined = Arrays.copyOf(entries, size + right.size);
      System.arraycopy(right.entries, 0, joined, size, right.size);
      return new Leaf(newOwner, joined, size + right.size, size == WIDTH ? liveMask : liveMask | right.liveMask << size);
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
    }
  }

  /// Children in key order. `bounds[i]` is at or below all keys of child i and above those of child i-1; `bounds[0]`
  /// is not looked at.
  static final class Branch extends Node {
    Node[] children;
    byte[][] bounds;
    int[] lives;

    Branch(long owner, Node[] children, byte[][] bounds, int[] lives, int size) {
      super(owner, size);
      this.children = children;
      this.bounds = bounds;
      this.lives = lives;
    }

    static Branch of(long owner, Node left, Node right) {
      Node[] children = new Node[ROOM];
      children[0] = left;
      children[1] = right;
      byte[][] bounds = new byte[ROOM][];
      bounds[0] = left.firstKey();
      bounds[1] = right.firstKey();
      int[] lives = new int[ROOM];
      lives[0] = left.live();
      lives[1] = right.live();
      return new Branch(owner, children, bounds, lives, 2);
    }

    Branch copy(long newOwner) {
      int length = children.length;
      return new Branch(
          newOwner, Arrays.copyOf(children, length), Arrays.copyOf(bounds, length), Arrays.copyOf(lives, length), size);
    }

    /// The child whose interval `key` is in.
    int childFor(byte[] key) {
      int low = 1;
      int high = size - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        if (Arrays.compareUnsigned(bounds[middle], key) <= 0) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return high;
    }

    /// Needs `size < WIDTH`.
    void insert(int at, Node child) {
      if (size == children.length) {
        int length = grown(size);
        children = Arrays.copyOf(children, length);
        bounds = Arrays.copyOf(bounds, length);
        lives = Arrays.copyOf(lives, length);
      }
      System.arraycopy(children, at, children, at + 1, size - at);
      System.arraycopy(bounds, at, bounds, at + 1, size - at);
      System.arraycopy(lives, at, lives, at + 1, size - at);
      size++;
      children[at] = child;
      bounds[at] = child.firstKey();
      lives[at] = child.live();
    }

    void remove(int at) {
      System.arraycopy(children, at + 1, children, at, size - at - 1);
      System.arraycopy(bounds, at + 1, bounds, at, size - at - 1);
      System.arraycopy(lives, at + 1, lives, at, size - at - 1);
      size--;
      children[size] = null;
      bounds[size] = null;
      lives[size] = 0;
    }

    Branch split(int at) {
      int moved = size - at;
      int length = grown(moved);
      Branch right = new Branch(owner, new Node[length], new byte[length][], new int[length], moved);
      System.arraycopy(children, at, right.children, 0, moved);
      System.arraycopy(bounds, at, right.bounds, 0, moved);
      System.arraycopy(lives, at, right.lives, 0, moved);
      Arrays.fill(children, at, size, null);
      Arrays.fill(bounds, at, size, null);
      Arrays.fill(lives, at, size, 0);
      size = at;
      return right;
    }

    /// @param rightBound this branch's parent's bound of `right`
    Branch join(Branch right, byte[] rightBound, long newOwner) {
      int joined = size + right.size;
      Branch result =
          new Branch(
              newOwner, Arrays.copyOf(children, joined), Arrays.copyOf(bounds, joined), Arrays.copyOf(lives, joined),
              joined);
      System.arraycopy(right.children, 0, result.children, size, right.size);
      System.arraycopy(right.bounds, 0, result.bounds, size, right.size);
      System.arraycopy(right.lives, 0, result.lives, size, right.size);
      result.bounds[size] = rightBound;
      return result;
    }

    @Override
    byte[] firstKey() {
      return children[0].firstKey();
    }

    @Override
    int live() {
      int sum = 0;
      for (int i = 0; i < size; i++) {
        sum += lives[i];
      }
      return sum;
    }

    @Override
    int liveBelow(byte[] key) {
      int at = childFor(key);
      int sum = 0;
      for (int i = 0; i < at; i++) {
        sum += lives[i];
      }
      return sum + children[at].liveBelow(key);
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
    }
  }
}
