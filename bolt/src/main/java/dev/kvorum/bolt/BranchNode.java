package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A branch being changed. Each child is a page of the file still, or a [Node] already.
final class BranchNode extends Node {
  private long[] childIds;
  private @Nullable Node[] childNodes;

  BranchNode(int rowCapacity, int dataCapacity) {
    super(rowCapacity, dataCapacity);
    childIds = new long[Math.max(rowCapacity, 8)];
    childNodes = new Node[Math.max(rowCapacity, 8)];
  }

  BranchNode() {
    this(8, 512);
  }

  /// Takes over the page at `at`.
  static BranchNode of(Pages pages, long at, long end) throws CorruptionException {
    int count = pages.count(at);
    BranchNode node = new BranchNode(count + 8, pages.pageSize);
    for (int i = 0; i < count; i++) {
      long element = Pages.element(at, i);
      long from = pages.branchKeyAt(element, end);
      int keyLength = pages.branchKeyLength(element);
      node.reserve(keyLength);
      MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, from, node.data, node.dataEnd, keyLength);
      node.dataEnd += keyLength;
      node.insertRow(i, node.dataEnd - keyLength, keyLength, 0, 0);
      node.childIds[i] = pages.child(element);
      if (node.dataEnd > end - at) {
        throw pages.corrupt(at, "branch elements overlap");
      }
    }
    if (!node.isOrdered()) {
      throw pages.corrupt(at, "branch keys do not ascend");
    }
    return node;
  }

  /// The index of the child in which `key` would be.
  int childIndex(byte[] key) {
    int found = search(key);
    return found >= 0 ? found : Math.max(0, -2 - found);
  }

  long childId(int i) {
    return childIds[i];
  }

  /// Child `i` if it is a node already.
  @Nullable Node childNode(int i) {
    return childNodes[i];
  }

  int indexOf(Node child) {
    if (childNodes[count - 1] == child) {
      return count - 1;
    }
    for (int i = 0; i < count; i++) {
      if (childNodes[i] == child) {
        return i;
      }
    }
    throw Invariant.unreachable("a node its parent does not know");
  }

  /// Child `i`, made a node if it is not yet.
  Node child(int i, Pages pages) throws CorruptionException {
    Node child = childNodes[i];
    if (child == null) {
      child = nodeOf(pages, childIds[i]);
      child.parent = this;
      childNodes[i] = child;
    }
    return child;
  }

  /// Page `id` as a node without a parent.
  static Node nodeOf(Pages pages, long id) throws CorruptionException {
    long at = pages.at(id);
    long end = pages.end(at);
    Node node = pages.isBranch(at) ? of(pages, at, end) : LeafNode.of(pages, at, end);
    node.pageId = id;
    node.pageSpan = pages.span(at);
    return node;
  }

  /// Appends a child that is a page already.
  void append(byte[] keySource, int keyAt, int keyLength, long childId) {
    int at = addData(keySource, keyAt, keyLength);
    insertChild(count, at, keyLength, childId, null);
  }

  /// Adds `child` under the key of its first element.
  void insert(int i, Node child) {
    int keyLength = child.keyLength(0);
    int at = addData(child.data, child.keyAt(0), keyLength);
    insertChild(i, at, keyLength, 0, child);
    child.parent = this;
  }

  /// Gives child `i` the key of its first element, which may be below the one it had.
  void rekey(int i, Node child) {
    int keyLength = child.keyLength(0);
    int at = addData(child.data, child.keyAt(0), keyLength);
    replaceRow(i, at, keyLength, 0, 0);
  }

  private void insertChild(int i, int at, int keyLength, long childId, @Nullable Node child) {
    if (count == childIds.length) {
      childIds = Arrays.copyOf(childIds, count * 2);
      childNodes = Arrays.copyOf(childNodes, count * 2);
    }
    System.arraycopy(childIds, i, childIds, i + 1, count - i);
    System.arraycopy(childNodes, i, childNodes, i + 1, count - i);
    childIds[i] = childId;
    childNodes[i] = child;
    insertRow(i, at, keyLength, 0, 0);
  }

  void remove(int i) {
    System.arraycopy(childIds, i + 1, childIds, i, count - i - 1);
    System.arraycopy(childNodes, i + 1, childNodes, i, count - i - 1);
    childNodes[count - 1] = null;
    removeRows(i, i + 1);
    shrunk = true;
  }

  @Override
  boolean isSmall(long bytesMin) {
    return size <= bytesMin || count <= 2;
  }

  @Override
  void absorb(Node right) {
    Invariant.check(right instanceof BranchNode, "a leaf beside a branch");
    BranchNode that = (BranchNode) right;
    for (int i = 0; i < that.count; i++) {
      int at = addData(that.data, that.keyAt(i), that.keyLength(i));
      Node child = that.childNodes[i];
      insertChild(count, at, that.keyLength(i), that.childIds[i], child);
      if (child != null) {
        child.parent = this;
      }
    }
  }
}
