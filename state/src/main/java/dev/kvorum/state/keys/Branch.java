package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Children in key order. `bounds[i]` is at or below all keys of child i and above those of child i-1; `bounds[0]` is
/// not looked at.
///
/// **Heads.** Bounds are scattered over the heap: a binary search among 64 of them would wait for memory a few times.
/// So a branch keeps, side by side, the four bytes of each bound that follow the `prefix` bytes which all of them share.
/// These find the place; then one bound is looked at, to be sure. Heads are kept with the top bit flipped, so that
/// signed comparison orders them as bytes; bounds that end early are padded with zeros, so equal heads say nothing and
/// bounds decide.
final class Branch extends Node {
  /// Children of a full branch.
  static final int WIDTH = 64;

  /// Below this a branch looks for a sibling to join.
  static final int WIDTH_MIN = 16;

  /// The widest branch a join or a bulk load makes.
  static final int WIDTH_LOADED = 48;

  private static final int ROOM = 4;

  int size;
  Node[] children;
  byte[][] bounds;
  private int[] lives;
  private int prefix;
  private int[] heads;
  private boolean sharesBounds;
  private boolean sharesLives;
  private boolean sharesHeads;

  private Branch(long owner, Node[] children, byte[][] bounds, int[] lives, int size, int prefix, int[] heads) {
    super(owner);
    this.children = children;
    this.bounds = bounds;
    this.lives = lives;
    this.size = size;
    this.prefix = prefix;
    this.heads = heads;
  }

  private static Branch of(long owner, Node[] children, byte[][] bounds, int[] lives, int size) {
    Branch branch = new Branch(owner, children, bounds, lives, size, 0, new int[children.length]);
    branch.rehead();
    return branch;
  }

  /// Above `children` from `from` to `to`, of which each but the first begins at its bound.
  static Branch above(long owner, Node[] children, byte[][] bounds, int from, int to) {
    int[] lives = new int[to - from];
    for (int i = from; i < to; i++) {
      lives[i - from] = children[i].live();
    }
    return of(
        owner, Arrays.copyOfRange(children, from, to), Arrays.copyOfRange(bounds, from, to), lives, to - from);
  }

  /// A root above a child that was split.
  static Branch above(long owner, Node left, byte[] bound, Node right) {
    return above(owner, new Node[] {left, right}, new byte[][] {bound, bound}, 0, 2);
  }

  Branch copy(long newOwner) {
    Branch copy = new Branch(newOwner, Arrays.copyOf(children, children.length), bounds, lives, size, prefix, heads);
    copy.sharesHeads = true;
    copy.sharesBounds = true;
    copy.sharesLives = true;
    return copy;
  }

  @Override
  int size() {
    return size;
  }

  private static int grown(int size) {
    return Math.min(WIDTH, size + ROOM);
  }

  // ---- Heads ----

  private static int head(byte[] key, int from) {
    int head = 0;
    for (int i = from; i < from + Integer.BYTES; i++) {
      head = head << 8 | (i < key.length ? key[i] & 0xff : 0);
    }
    return head ^ Integer.MIN_VALUE;
  }

  private int headOf(byte[] key) {
    int from = prefix;
    if (from + Integer.BYTES > key.length) {
      return head(key, from);
    }
    int head = key[from] << 24 | (key[from + 1] & 0xff) << 16 | (key[from + 2] & 0xff) << 8 | key[from + 3] & 0xff;
    return head ^ Integer.MIN_VALUE;
  }

  /// The first position, from 1 on, whose head is at least `head`.
  private int lowerBound(int head) {
    int low = 1;
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

  /// How `key` stands to bound `i`: 0 when equal, -2 or 2 when they differ within the prefix, so that it is below or
  /// above all bounds, else -1 or 1.
  private int order(byte[] key, int i) {
    byte[] bound = bounds[i];
    int differ = Arrays.mismatch(key, bound);
    if (differ < 0) {
      return 0;
    }
    boolean below = differ == key.length || differ < bound.length && (key[differ] & 0xff) < (bound[differ] & 0xff);
    int order = differ < prefix ? 2 : 1;
    return below ? -order : order;
  }

  /// Computes the prefix and all heads anew.
  private void rehead() {
    if (sharesHeads || heads.length < size) {
      heads = new int[Math.max(heads.length, size)];
      sharesHeads = false;
    }
    prefix = 0;
    if (size <= 1) {
      return;
    }
    int shared = Arrays.mismatch(bounds[1], bounds[size - 1]);
    prefix = shared < 0 ? bounds[1].length : shared;
    for (int i = 1; i < size; i++) {
      heads[i] = head(bounds[i], prefix);
    }
  }

  /// Takes the head of bound `at`, which is in its place already.
  private void insertHead(int at) {
    boolean alone = size == 2;
    int shared = alone ? -1 : Arrays.mismatch(bounds[at], bounds[at == 1 ? 2 : 1]);
    if (alone || shared >= 0 && shared < prefix) {
      rehead();
      return;
    }
    System.arraycopy(heads, at, heads, at + 1, size - 1 - at);
    heads[at] = head(bounds[at], prefix);
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

  // ---- Edits ----

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
  void insert(int at, byte[] bound, Node child) {
    unshare(size == children.length ? grown(size) : children.length);
    System.arraycopy(children, at, children, at + 1, size - at);
    System.arraycopy(bounds, at, bounds, at + 1, size - at);
    System.arraycopy(lives, at, lives, at + 1, size - at);
    size++;
    children[at] = child;
    bounds[at] = bound;
    lives[at] = child.live();
    insertHead(at);
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

  /// Moves children from `at` on to a new branch, whose bound is that of its first child.
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
  long heapBytes() {
    long bytes = 56 + 4 * arrayBytes(4L * children.length);
    for (int i = 0; i < size; i++) {
      bytes += children[i].heapBytes() + (i == 0 ? 0 : arrayBytes(bounds[i].length));
    }
    return bytes;
  }

  @Override
  void checkInvariants(byte @Nullable [] low, byte @Nullable [] high) {
    Invariant.check(size > 0 && size <= WIDTH && size <= children.length, "branch size");
    for (int i = 0; i < size; i++) {
      byte[] childLow = i == 0 ? low : bounds[i];
      byte[] childHigh = i + 1 == size ? high : bounds[i + 1];
      if (i > 0) {
        checkBetween(bounds[i], low, high);
        Invariant.check(heads[i] == head(bounds[i], prefix), "a head is not its bound's");
        Invariant.check(
            bounds[i].length >= prefix && Arrays.equals(bounds[i], 0, prefix, bounds[1], 0, prefix),
            "a bound without the common prefix");
      }
      Invariant.check(children[i].owner <= owner, "a child is younger than its parent");
      Invariant.check(children[i].live() == lives[i], "live count is wrong");
      children[i].checkInvariants(childLow, childHigh);
    }
  }
}
