package dev.kvorum.bolt;

import dev.kvorum.env.Bytes;
import java.io.IOException;
import java.util.Map;

/// Second step of a commit: cuts the changed nodes into pages and writes them to free places, children before parents,
/// nested buckets before those that hold them.
///
/// Source: bbolt `node.go` and `bucket.go`, `spill`.
final class Spill {
  private final WriteTx tx;
  private final PageWriter out;
  private final int pageSize;

  Spill(WriteTx tx, PageWriter out) {
    this.tx = tx;
    this.out = out;
    this.pageSize = tx.bolt().pageSize();
  }

  /// @return the page id of the root bucket's root
  long run(Bucket root) throws IOException {
    spillChildren(root);
    return root.rootNode == null ? root.rootId : spillRoot(root, root.rootNode);
  }

  private void spillChildren(Bucket bucket) throws IOException {
    for (Map.Entry<Bytes, Bucket> entry : bucket.children.entrySet()) {
      Bucket child = entry.getValue();
      spillChildren(child);
      if (child.changed) {
        bucket.putEntry(entry.getKey(), spillBucket(child));
      }
    }
  }

  /// Writes a nested bucket. @return its entry
  private byte[] spillBucket(Bucket bucket) throws IOException {
    Node root = bucket.rootNode;
    if (root == null) {
      return Bucket.entry(bucket.rootId, bucket.sequence());
    }
    if (root instanceof LeafNode leaf && fitsInline(leaf)) {
      free(leaf);
      return Bucket.inlineEntry(bucket);
    }
    return Bucket.entry(spillRoot(bucket, root), bucket.sequence());
  }

  private boolean fitsInline(LeafNode leaf) {
    if (leaf.size > pageSize / 4) {
      return false;
    }
    for (int i = 0; i < leaf.count; i++) {
      if (leaf.flags(i) == Page.BUCKET) {
        return false;
      }
    }
    return true;
  }

  private long spillRoot(Bucket bucket, Node root) throws IOException {
    if (root.count == 0) {
      free(root);
      long id = tx.allocate(1);
      out.writeNode(root, tx.pages(), 0, 0, id, 1);
      return id;
    }
    BranchNode above = new BranchNode();
    spill(root, bucket.fillPercent, above);
    while (above.count > 1) {
      BranchNode next = new BranchNode();
      writePieces(above, bucket.fillPercent, next);
      above = next;
    }
    return above.childId(0);
  }

  /// Writes `node` and all changed below it, and appends the pages it became to `above`.
  private void spill(Node node, double fillPercent, BranchNode above) throws IOException {
    Node whole = node;
    if (node instanceof BranchNode branch) {
      BranchNode rebuilt = new BranchNode(branch.count + 8, branch.dataEnd + 64);
      for (int i = 0; i < branch.count; i++) {
        Node child = branch.childNode(i);
        if (child == null) {
          rebuilt.append(branch.data, branch.keyAt(i), branch.keyLength(i), branch.childId(i));
        } else {
          spill(child, fillPercent, rebuilt);
        }
      }
      whole = rebuilt;
    }
    free(node);
    writePieces(whole, fillPercent, above);
  }

  private void writePieces(Node node, double fillPercent, BranchNode above) throws IOException {
    int from = 0;
    long rest = node.size;
    while (from < node.count) {
      int to = node.pieceEnd(from, rest, pageSize, fillPercent);
      long bytes = Page.HEADER_BYTES;
      for (int i = from; i < to; i++) {
        bytes += node.elementBytes(i);
      }
      int span = (int) ((bytes + pageSize - 1) / pageSize);
      long id = tx.allocate(span);
      out.writeNode(node, tx.pages(), from, to, id, span);
      above.append(node.data, node.keyAt(from), node.keyLength(from), id);
      rest -= bytes - Page.HEADER_BYTES;
      from = to;
    }
  }

  private void free(Node node) {
    if (node.pageId != 0) {
      tx.free(node.pageId, node.pageSpan);
    }
  }
}
