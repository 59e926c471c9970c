package dev.kvorum.state.keys;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Builds an index's tree from keys that come in order: leaves side by side first, then the branches above them.
final class KeyIndexLoader {
  /// Keys in order, each once, with what is known of them.
  interface Source {
    /// Moves on. @return false at the end
    boolean next();

    byte[] key();

    KeyEntry entry();
  }

  private final long batch;
  private final RowLayout.Catalogue layouts;
  private final List<Node> nodes = new ArrayList<>();
  private final List<byte[]> bounds = new ArrayList<>();
  private final byte[][] keys = new byte[Leaf.WIDTH_LOADED][];
  private final KeyEntry[] entries = new KeyEntry[Leaf.WIDTH_LOADED];
  private byte[] lastKey = new byte[0];
  private int gathered;
  private int textBytes;
  private int keyCount;

  KeyIndexLoader(long batch, RowLayout.Catalogue layouts) {
    this.batch = batch;
    this.layouts = layouts;
  }

  void add(byte[] key, KeyEntry entry) {
    if (gathered == Leaf.WIDTH_LOADED || gathered > 0 && textBytes + key.length > Leaf.TEXT_BYTES_MAX) {
      endLeaf();
    }
    keys[gathered] = key;
    entries[gathered++] = entry;
    textBytes += key.length;
    keyCount++;
  }

  private void endLeaf() {
    bounds.add(nodes.isEmpty() ? lastKey : Leaf.divider(lastKey, keys[0]));
    nodes.add(Leaf.of(batch, layouts, keys, entries, 0, gathered));
    lastKey = keys[gathered - 1];
    gathered = 0;
    textBytes = 0;
  }

  int keyCount() {
    return keyCount;
  }

  /// @return the root; null when nothing was added
  @Nullable Node finish() {
    if (gathered > 0) {
      endLeaf();
    }
    while (nodes.size() > 1) {
      raise();
    }
    return nodes.isEmpty() ? null : nodes.getFirst();
  }

  /// Puts branches above the nodes there are, evenly filled.
  private void raise() {
    Node[] children = nodes.toArray(Node[]::new);
    byte[][] childBounds = bounds.toArray(byte[][]::new);
    nodes.clear();
    bounds.clear();
    int count = (children.length + Branch.WIDTH_LOADED - 1) / Branch.WIDTH_LOADED;
    for (int i = 0; i < count; i++) {
      int from = (int) ((long) children.length * i / count);
      int to = (int) ((long) children.length * (i + 1) / count);
      nodes.add(Branch.above(batch, children, childBounds, from, to));
      bounds.add(childBounds[from]);
    }
  }
}
