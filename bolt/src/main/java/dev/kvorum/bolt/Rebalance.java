package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;

/// First step of a commit: joins nodes that deletions left too small with their siblings.
///
/// Source: bbolt `node.go`, `rebalance`, whose thresholds these are.
final class Rebalance {
  private final WriteTx tx;
  private int merges;

  Rebalance(WriteTx tx) {
    this.tx = tx;
  }

  /// @return how many nodes went away
  int run(Bucket root) throws CorruptionException {
    rebalance(root);
    return merges;
  }

  private void rebalance(Bucket bucket) throws CorruptionException {
    for (Bucket child : bucket.children.values()) {
      rebalance(child);
    }
    if (bucket.changed && bucket.rootNode instanceof BranchNode root) {
      long bytesMin = (int) (bucket.pages.pageSize * bucket.fillPercent) / 2;
      rebalance(root, bytesMin);
      bucket.rootNode = collapsed(root);
    }
  }

  /// The node a root comes down to: a branch with one child is that child, one with none an empty leaf.
  private Node collapsed(Node root) throws CorruptionException {
    while (root instanceof BranchNode branch && branch.count <= 1) {
      root = branch.count == 0 ? new LeafNode() : branch.child(0, tx.pages());
      root.parent = null;
      drop(branch);
    }
    return root;
  }

  private void rebalance(BranchNode branch, long bytesMin) throws CorruptionException {
    for (int i = 0; i < branch.count; i++) {
      if (branch.childNode(i) instanceof BranchNode child) {
        rebalance(child, bytesMin);
      }
    }
    int i = 0;
    while (i < branch.count) {
      Node child = branch.childNode(i);
      if (child == null || !child.shrunk || !child.isSmall(bytesMin)) {
        i++;
      } else if (child.count == 0) {
        branch.remove(i);
        drop(child);
      } else if (branch.count == 1) {
        i++;
      } else {
        i = Math.max(0, i - 1);
        join(branch, i);
      }
    }
  }

  /// Joins children `i` and `i + 1`. The result is looked at again: it may still be small.
  private void join(BranchNode branch, int i) throws CorruptionException {
    Node left = branch.child(i, tx.pages());
    Node right = branch.child(i + 1, tx.pages());
    if (left.getClass() != right.getClass()) {
      throw tx.pages().corrupt(left.pageId * tx.pages().pageSize, "a leaf beside a branch");
    }
    left.absorb(right);
    left.shrunk = true;
    branch.remove(i + 1);
    drop(right);
  }

  private void drop(Node node) {
    if (node.pageId != 0) {
      tx.free(node.pageId, node.pageSpan);
    }
    merges++;
  }
}
