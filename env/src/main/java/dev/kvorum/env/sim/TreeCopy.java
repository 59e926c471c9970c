package dev.kvorum.env.sim;

/// A copy of a tree with all that is unsynced in it: same ids, other nodes.
///
/// @param nodes every node reachable now, or after a power failure
record TreeCopy(DirectoryNode root, Step.Nodes nodes) {
  static TreeCopy of(DirectoryNode root) {
    Step.Nodes nodes = new Step.Nodes();
    return new TreeCopy((DirectoryNode) copy(root, nodes), nodes);
  }

  private static Node copy(Node node, Step.Nodes done) {
    if (done.contains(node.id())) {
      return done.get(node.id());
    }
    return switch (node) {
      case FileNode file -> {
        FileNode copy = file.copy();
        done.add(copy);
        yield copy;
      }
      case DirectoryNode directory -> copy(directory, done);
    };
  }

  private static DirectoryNode copy(DirectoryNode directory, Step.Nodes done) {
    DirectoryNode copy = new DirectoryNode(directory.id());
    done.add(copy);
    directory.live.forEach((name, node) -> copy.live.put(name, copy(node, done)));
    directory.durable.forEach((name, node) -> copy.durable.put(name, copy(node, done)));
    for (DirectoryNode.Change change : directory.unsynced) {
      Node node = change.node() == null ? null : copy(change.node(), done);
      DirectoryNode partner = change.partner() == null ? null : (DirectoryNode) copy((Node) change.partner(), done);
      copy.unsynced.add(new DirectoryNode.Change(change.operation(), change.taken(), change.put(), node, partner));
    }
    return copy;
  }
}
