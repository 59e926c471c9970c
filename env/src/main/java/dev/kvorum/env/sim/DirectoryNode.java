package dev.kvorum.env.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A directory: its names now, its names as of the last sync, and what changed between.
final class DirectoryNode implements Node {
  /// One change. A rename within the directory both takes and puts.
  ///
  /// @param taken the name that ends, or null
  /// @param put the name that begins (or is replaced), or null
  /// @param node what `put` names
  /// @param partner the other directory of a rename across two; null else
  record Change(
      long operation,
      @Nullable String taken,
      @Nullable String put,
      @Nullable Node node,
      @Nullable DirectoryNode partner) {
    void apply(TreeMap<String, Node> names) {
      if (taken != null) {
        names.remove(taken);
      }
      if (put != null && node != null) {
        names.put(put, node);
      }
    }
  }

  private final int id;
  final TreeMap<String, Node> live = new TreeMap<>();
  final TreeMap<String, Node> durable = new TreeMap<>();
  final List<Change> unsynced = new ArrayList<>();

  DirectoryNode(int id) {
    this.id = id;
  }

  @Override
  public int id() {
    return id;
  }

  private void change(Change change) {
    change.apply(live);
    unsynced.add(change);
  }

  void put(long operation, String name, Node node) {
    change(new Change(operation, null, name, node, null));
  }

  void remove(long operation, String name) {
    change(new Change(operation, name, null, null, null));
  }

  static void rename(long operation, DirectoryNode from, String fromName, DirectoryNode to, String toName) {
    Node node = from.live.get(fromName);
    if (from == to) {
      from.change(new Change(operation, fromName, toName, node, null));
    } else {
      from.change(new Change(operation, fromName, null, null, to));
      to.change(new Change(operation, null, toName, node, from));
    }
  }

  void sync() {
    syncThrough(Long.MAX_VALUE);
  }

  /// Makes the changes up to operation number `last` durable; a rename across two directories takes the other one's
  /// earlier changes along.
  private void syncThrough(long last) {
    int n = 0;
    while (n < unsynced.size() && unsynced.get(n).operation <= last) {
      n++;
    }
    List<Change> done = List.copyOf(unsynced.subList(0, n));
    unsynced.subList(0, n).clear();
    for (Change change : done) {
      change.apply(durable);
      if (change.partner != null) {
        change.partner.syncThrough(change.operation);
      }
    }
  }
}
