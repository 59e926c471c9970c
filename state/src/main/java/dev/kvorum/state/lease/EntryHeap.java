package dev.kvorum.state.lease;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Things by time, earliest first, each removable and movable where it stands. A binary heap in an array.
final class EntryHeap {
  private Node[] nodes = new Node[16];
  private int size;

  static final class Node {
    final Object owner;
    private long timeNanos;
    private int index = -1;

    Node(Object owner) {
      this.owner = owner;
    }

    long timeNanos() {
      return timeNanos;
    }
  }

  int size() {
    return size;
  }

  void clear() {
    for (int i = 0; i < size; i++) {
      nodes[i].index = -1;
    }
    nodes = new Node[16];
    size = 0;
  }

  void add(Node node, long timeNanos) {
    Invariant.check(node.index < 0, "a node is added to a heap it is in");
    if (size == nodes.length) {
      nodes = Arrays.copyOf(nodes, 2 * size);
    }
    node.timeNanos = timeNanos;
    place(node, size++);
    up(node);
  }

  /// The earliest, if its time is not after `timeNanos`.
  @Nullable Node firstUpTo(long timeNanos) {
    return size > 0 && nodes[0].timeNanos <= timeNanos ? nodes[0] : null;
  }

  void reschedule(Node node, long timeNanos) {
    node.timeNanos = timeNanos;
    up(node);
    down(node);
  }

  /// Absent is fine.
  void remove(Node node) {
    int hole = node.index;
    if (hole < 0) {
      return;
    }
    node.index = -1;
    Node last = nodes[--size];
    // The array must not hold on to what it no longer counts; a node is never null to its readers.
    Arrays.fill(nodes, size, size + 1, null);
    if (last != node) {
      place(last, hole);
      up(last);
      down(last);
    }
  }

  private void up(Node node) {
    int index = node.index;
    while (index > 0) {
      int parent = index - 1 >>> 1;
      if (nodes[parent].timeNanos <= node.timeNanos) {
        break;
      }
      place(nodes[parent], index);
      index = parent;
    }
    place(node, index);
  }

  private void down(Node node) {
    int index = node.index;
    while (true) {
      int child = 2 * index + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && nodes[child + 1].timeNanos < nodes[child].timeNanos) {
        child++;
      }
      if (nodes[child].timeNanos >= node.timeNanos) {
        break;
      }
      place(nodes[child], index);
      index = child;
    }
    place(node, index);
  }

  private void place(Node node, int index) {
    nodes[index] = node;
    node.index = index;
  }
}
