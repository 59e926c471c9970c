package dev.kvorum.member.watch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Finds what is registered on the key ranges that hold a key: O(log n + found).
///
/// A treap ordered by (begin, end), each node knowing the greatest end below it, so that whole subtrees ending before
/// the key are skipped. Values on the same range share a node. Priorities come from a counter's mix, not from chance:
/// the same history builds the same tree. Owned by one loop.
final class IntervalTree<T> {
  /// The end beyond every key.
  static final byte @Nullable [] UNBOUNDED = null;

  private @Nullable Node<T> root;
  private int made;

  private static final class Node<T> {
    final byte[] begin;
    final byte @Nullable [] end;
    final int priority;
    final List<T> values = new ArrayList<>(1);
    byte @Nullable [] greatestEnd;
    @Nullable Node<T> left;
    @Nullable Node<T> right;

    Node(byte[] begin, byte @Nullable [] end, int priority) {
      this.begin = begin;
      this.end = end;
      this.priority = priority;
      this.greatestEnd = end;
    }
  }

  boolean isEmpty() {
    return root == null;
  }

  /// Registers `value` on `[begin, end)`; `end` null means no end.
  void add(byte[] begin, byte @Nullable [] end, T value) {
    Node<T> found = find(begin, end);
    if (found != null) {
      found.values.add(value);
      return;
    }
    Node<T> node = new Node<>(begin, end, mix(made++));
    node.values.add(value);
    root = insert(root, node);
  }

  /// @return false when `value` was not registered there
  boolean remove(byte[] begin, byte @Nullable [] end, T value) {
    Node<T> found = find(begin, end);
    if (found == null || !found.values.remove(value)) {
      return false;
    }
    if (found.values.isEmpty()) {
      root = delete(root, found);
    }
    return true;
  }

  /// Visits every value whose range holds `key`.
  void visit(byte[] key, Consumer<T> visitor) {
    visit(root, key, visitor);
  }

  private void visit(@Nullable Node<T> node, byte[] key, Consumer<T> visitor) {
    while (node != null && isBefore(key, node.greatestEnd)) {
      visit(node.left, key, visitor);
      if (Arrays.compareUnsigned(node.begin, key) > 0) {
        return; // all to the right begin later still
      }
      if (isBefore(key, node.end)) {
        for (int i = 0; i < node.values.size(); i++) {
          visitor.accept(node.values.get(i));
        }
      }
      node = node.right;
    }
  }

  private @Nullable Node<T> find(byte[] begin, byte @Nullable [] end) {
    Node<T> node = root;
    while (node != null) {
      int order = compare(begin, end, node);
      if (order == 0) {
        return node;
      }
      node = order < 0 ? node.left : node.right;
    }
    return null;
  }

  private Node<T> insert(@Nullable Node<T> at, Node<T> node) {
    if (at == null) {
      return node;
    }
    if (compare(node.begin, node.end, at) < 0) {
      Node<T> child = insert(at.left, node);
      at.left = child;
      return child.priority > at.priority ? rotateRight(at, child) : pulled(at);
    }
    Node<T> child = insert(at.right, node);
    at.right = child;
    return child.priority > at.priority ? rotateLeft(at, child) : pulled(at);
  }

  private @Nullable Node<T> delete(@Nullable Node<T> at, Node<T> node) {
    if (at == null) {
      return null;
    }
    if (at == node) {
      return merge(at.left, at.right);
    }
    if (compare(node.begin, node.end, at) < 0) {
      at.left = delete(at.left, node);
    } else {
      at.right = delete(at.right, node);
    }
    return pulled(at);
  }

  private @Nullable Node<T> merge(@Nullable Node<T> left, @Nullable Node<T> right) {
    if (left == null || right == null) {
      return left == null ? right : left;
    }
    if (left.priority > right.priority) {
      left.right = merge(left.right, right);
      return pulled(left);
    }
    right.left = merge(left, right.left);
    return pulled(right);
  }

  private Node<T> rotateRight(Node<T> at, Node<T> child) {
    at.left = child.right;
    child.right = pulled(at);
    return pulled(child);
  }

  private Node<T> rotateLeft(Node<T> at, Node<T> child) {
    at.right = child.left;
    child.left = pulled(at);
    return pulled(child);
  }

  private static <T> Node<T> pulled(Node<T> node) {
    byte[] greatest = node.end;
    if (node.left != null) {
      greatest = later(greatest, node.left.greatestEnd);
    }
    if (node.right != null) {
      greatest = later(greatest, node.right.greatestEnd);
    }
    node.greatestEnd = greatest;
    return node;
  }

  private static byte @Nullable [] later(byte @Nullable [] a, byte @Nullable [] b) {
    return a == null || b == null ? UNBOUNDED : Arrays.compareUnsigned(a, b) >= 0 ? a : b;
  }

  private static boolean isBefore(byte[] key, byte @Nullable [] end) {
    return end == null || Arrays.compareUnsigned(key, end) < 0;
  }

  private static int compare(byte[] begin, byte @Nullable [] end, Node<?> node) {
    int byBegin = Arrays.compareUnsigned(begin, node.begin);
    if (byBegin != 0) {
      return byBegin;
    }
    byte[] other = node.end;
    if (end == null || other == null) {
      return end == other ? 0 : end == null ? 1 : -1;
    }
    return Arrays.compareUnsigned(end, other);
  }

  private static int mix(int n) {
    int h = n * 0x9E3779B9;
    h ^= h >>> 16;
    h *= 0x85EBCA6B;
    return h ^ (h >>> 13);
  }
}
