package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A place in a [Bucket], moved in key order. Moves return whether it now stands on an element; only then may the
/// element be asked for. One thread's at a time; moves allocate nothing, but for one buffer.
///
/// A new one stands nowhere: [#next] takes it to the first element, [#previous] to the last. Past the end, [#next]
/// stays there and [#previous] comes back to the last; likewise before the start.
///
/// In a [WriteTx] it sees the transaction's own changes. After a change to its bucket other than by [#delete], it must
/// be placed anew with [#first], [#last] or [#seek].
///
/// A leaf through which it steps is copied out of the map first, in one sweep: memory hands over a page read from end
/// to end several times faster than the same bytes asked for here and there, and an array's elements are cheaper to
/// check than a map's. A leaf it is only placed in is not copied, nor one of several pages.
public final class Cursor {
  private enum State {
    NEW,
    ON,
    GAP,
    AFTER_END,
    BEFORE_START
  }

  private enum Way {
    FIRST,
    LAST,
    KEY
  }

  private static final byte[] NO_KEY = {};
  private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final Bucket bucket;
  private final Pages pages;
  private State state = State.NEW;
  private int changesSeen;
  private byte[] gapKey = NO_KEY;

  /// The branches above, root first: a node, or the offset of a page.
  private int depth;

  private @Nullable BranchNode[] branchNodes = new BranchNode[8];
  private long[] branchAts = new long[8];
  private int[] branchIndexes = new int[8];

  /// The leaf: a node, or a page.
  private @Nullable LeafNode leafNode;

  private long leafAt;
  private long leafEnd;
  private int leafCount;
  private int index;

  /// The bytes of the leaf, if it is [#copied].
  private byte[] copy = NO_KEY;

  private boolean copied;

  /// The element stood on.
  private long keyAt;

  private int keyLength;
  private int valueLength;
  private int flags;

  Cursor(Bucket bucket) {
    this.bucket = bucket;
    this.pages = bucket.pages;
  }

  public boolean first() throws CorruptionException {
    place(Way.FIRST, NO_KEY);
    return leafCount > 0 ? stand() : nextLeaf();
  }

  public boolean last() throws CorruptionException {
    place(Way.LAST, NO_KEY);
    return leafCount > 0 ? stand() : previousLeaf();
  }

  /// To the first element whose key is not below `key`.
  public boolean seek(byte[] key) throws CorruptionException {
    place(Way.KEY, key);
    return index < leafCount ? stand() : nextLeaf();
  }

  public boolean next() throws CorruptionException {
    if (state != State.ON) {
      return nextFromNowhere();
    }
    checkUnchanged();
    return ++index < leafCount ? step() : nextLeaf();
  }

  private boolean nextFromNowhere() throws CorruptionException {
    return switch (state) {
      case GAP -> seek(gapKey);
      case ON, AFTER_END -> false;
      case NEW, BEFORE_START -> first();
    };
  }

  public boolean previous() throws CorruptionException {
    if (state != State.ON) {
      return previousFromNowhere();
    }
    checkUnchanged();
    return --index >= 0 ? step() : previousLeaf();
  }

  private boolean previousFromNowhere() throws CorruptionException {
    return switch (state) {
      case GAP -> seek(gapKey) ? previous() : last();
      case ON, BEFORE_START -> false;
      case NEW, AFTER_END -> last();
    };
  }

  private void place(Way way, byte[] key) throws CorruptionException {
    bucket.checkOpen();
    changesSeen = bucket.changes;
    depth = 0;
    down(bucket.rootNode, bucket.rootId, way, key);
  }

  /// Goes down to a leaf.
  private void down(@Nullable Node node, long id, Way way, byte[] key) throws CorruptionException {
    while (node instanceof BranchNode branch) {
      int i = way == Way.FIRST ? 0 : way == Way.LAST ? branch.count - 1 : branch.childIndex(key);
      push(branch, 0, i);
      node = branch.childNode(i);
      id = branch.childId(i);
    }
    if (node != null) {
      enterNode((LeafNode) node, way, key);
      return;
    }
    long at = bucket.inlineAt;
    long end = bucket.inlineEnd;
    if (id != 0) {
      at = pages.at(id);
      end = pages.end(at);
      while (pages.isBranch(at)) {
        int i = way == Way.FIRST ? 0 : way == Way.LAST ? pages.count(at) - 1 : pages.searchBranch(at, end, key);
        push(null, at, i);
        at = pages.at(pages.child(Pages.element(at, i)));
        end = pages.end(at);
      }
    }
    enterPage(at, end, way, key);
  }

  private void push(@Nullable BranchNode node, long at, int i) throws CorruptionException {
    if (depth == branchAts.length) {
      if (depth > Page.DEPTH_MAX) {
        throw pages.corrupt(at, "pages nest without end");
      }
      branchNodes = Arrays.copyOf(branchNodes, depth * 2);
      branchAts = Arrays.copyOf(branchAts, depth * 2);
      branchIndexes = Arrays.copyOf(branchIndexes, depth * 2);
    }
    branchNodes[depth] = node;
    branchAts[depth] = at;
    branchIndexes[depth++] = i;
  }

  private void enterNode(LeafNode leaf, Way way, byte[] key) {
    leafNode = leaf;
    leafCount = leaf.count;
    if (way == Way.KEY) {
      int found = leaf.search(key);
      index = found >= 0 ? found : -1 - found;
    } else {
      index = way == Way.FIRST ? 0 : leafCount - 1;
    }
  }

  private void enterPage(long at, long end, Way way, byte[] key) throws CorruptionException {
    leafNode = null;
    copied = false;
    leafAt = at;
    leafEnd = end;
    leafCount = pages.count(at);
    if (way == Way.KEY) {
      int found = pages.searchLeaf(at, end, key);
      index = found >= 0 ? found : -1 - found;
    } else {
      index = way == Way.FIRST ? 0 : leafCount - 1;
    }
  }

  private boolean nextLeaf() throws CorruptionException {
    while (depth > 0) {
      int top = depth - 1;
      BranchNode node = branchNodes[top];
      int i = branchIndexes[top] + 1;
      if (i == (node != null ? node.count : pages.count(branchAts[top]))) {
        depth = top;
        continue;
      }
      enterChild(top, node, i, Way.FIRST);
      if (leafCount > 0) {
        return step();
      }
    }
    state = State.AFTER_END;
    return false;
  }

  private boolean previousLeaf() throws CorruptionException {
    while (depth > 0) {
      int top = depth - 1;
      int i = branchIndexes[top] - 1;
      if (i < 0) {
        depth = top;
        continue;
      }
      enterChild(top, branchNodes[top], i, Way.LAST);
      if (leafCount > 0) {
        return step();
      }
    }
    state = State.BEFORE_START;
    return false;
  }

  private void enterChild(int top, @Nullable BranchNode node, int i, Way way) throws CorruptionException {
    branchIndexes[top] = i;
    if (node != null) {
      down(node.childNode(i), node.childId(i), way, NO_KEY);
    } else {
      down(null, pages.child(Pages.element(branchAts[top], i)), way, NO_KEY);
    }
  }

  /// Stands on an element reached from its neighbour: more are likely to follow.
  private boolean step() throws CorruptionException {
    if (!copied && leafNode == null) {
      copyLeaf();
    }
    return stand();
  }

  private void copyLeaf() {
    long bytes = leafEnd - leafAt;
    if (bytes <= pages.pageSize) {
      if (copy.length == 0) {
        copy = new byte[pages.pageSize];
      }
      MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, leafAt, copy, 0, (int) bytes);
      copied = true;
    }
  }

  /// Reads the element's numbers.
  private boolean stand() throws CorruptionException {
    LeafNode node = leafNode;
    if (node == null) {
      long element = Pages.element(leafAt, index);
      if (copied) {
        int at = Page.HEADER_BYTES + index * Page.ELEMENT_BYTES;
        standAt(element, (long) WORD.get(copy, at), (long) WORD.get(copy, at + 8));
      } else {
        standAt(element, pages.map.get(Page.LONG, element), pages.map.get(Page.LONG, element + 8));
      }
    } else {
      keyAt = node.keyAt(index);
      keyLength = node.keyLength(index);
      valueLength = node.valueLength(index);
      flags = node.flags(index);
    }
    state = State.ON;
    return true;
  }

  private void standAt(long element, long word, long lengths) throws CorruptionException {
    if (!Pages.isSoundLeafElement(word, lengths, leafEnd - element)) {
      throw pages.unsoundLeafElement(element);
    }
    keyAt = element + (word >>> 32);
    keyLength = (int) lengths;
    valueLength = (int) (lengths >>> 32);
    flags = (int) word;
  }

  /// A copy.
  public byte[] key() {
    byte[] key = new byte[keyLength];
    copyKey(key, 0);
    return key;
  }

  /// A copy. Of a bucket: its header, and its page if inline, as last committed.
  public byte[] value() {
    byte[] value = new byte[valueLength];
    copyValue(value, 0);
    return value;
  }

  public int keyLength() {
    checkOn();
    return keyLength;
  }

  public int valueLength() {
    checkOn();
    return valueLength;
  }

  /// Copies the key's bytes to `target` from `at` on.
  public void copyKey(byte[] target, int at) {
    checkOn();
    LeafNode node = leafNode;
    if (node != null) {
      System.arraycopy(node.data, (int) keyAt, target, at, keyLength);
    } else if (copied) {
      System.arraycopy(copy, (int) (keyAt - leafAt), target, at, keyLength);
    } else {
      MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, keyAt, target, at, keyLength);
    }
  }

  /// Copies the value's bytes to `target` from `at` on.
  public void copyValue(byte[] target, int at) {
    checkOn();
    LeafNode node = leafNode;
    if (node != null) {
      node.copyValue(index, pages, target, at);
    } else if (copied) {
      System.arraycopy(copy, (int) (keyAt - leafAt) + keyLength, target, at, valueLength);
    } else {
      MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, keyAt + keyLength, target, at, valueLength);
    }
  }

  /// The key in place: valid while the transaction is open and, in a [WriteTx], until the next change.
  public MemorySegment keySegment() {
    checkOn();
    LeafNode node = leafNode;
    return node == null
        ? pages.map.asSlice(keyAt, keyLength)
        : MemorySegment.ofArray(node.data).asSlice(keyAt, keyLength).asReadOnly();
  }

  /// The value in place, valid like [#keySegment].
  public MemorySegment valueSegment() {
    checkOn();
    LeafNode node = leafNode;
    return node == null ? pages.map.asSlice(keyAt + keyLength, valueLength) : node.valueSegment(index, pages);
  }

  /// Whether the element is a nested bucket.
  public boolean isBucket() {
    checkOn();
    return flags == Page.BUCKET;
  }

  /// Removes the plain element. Then [#next] goes to the one after it and [#previous] to the one before.
  public void delete() throws CorruptionException {
    byte[] key = key();
    bucket.delete(key);
    state = State.GAP;
    gapKey = key;
  }

  private void checkOn() {
    Invariant.check(state == State.ON, "a cursor asked for an element stands on none");
    checkUnchanged();
  }

  private void checkUnchanged() {
    bucket.checkOpen();
    Invariant.check(changesSeen == bucket.changes, "a cursor used after its bucket changed");
  }
}
