package dev.kvorum.env.sim;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One recorded operation: enough to do it again on a copy of the disk, whose nodes have the same ids.
sealed interface Step {
  /// For people: what was done to what.
  Path path();

  OperationKind kind();

  void apply(long operation, Nodes nodes);

  /// A copy's nodes by id. A node that was open but had no name when the recording began is not among them, and nothing
  /// done to it matters.
  final class Nodes {
    private final Map<Integer, Node> byId = new HashMap<>();

    void add(Node node) {
      byId.put(node.id(), node);
    }

    boolean contains(int id) {
      return byId.containsKey(id);
    }

    Node get(int id) {
      Node node = byId.get(id);
      if (node == null) {
        throw new IllegalStateException("no node " + id);
      }
      return node;
    }

    DirectoryNode directory(int id) {
      return (DirectoryNode) get(id);
    }

    FileNode file(int id) {
      return byId.get(id) instanceof FileNode file ? file : new FileNode(id);
    }
  }

  /// @param data null for zeros
  record Write(Path path, int file, long position, byte @Nullable [] data, long length) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.WRITE;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      nodes.file(file).write(operation, position, data, length);
    }
  }

  record Resize(Path path, int file, long size) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.RESIZE;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      nodes.file(file).resize(operation, size);
    }
  }

  record Allocate(Path path, int file, long size) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.ALLOCATE;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      nodes.file(file).allocate(operation, size);
    }
  }

  record Sync(Path path, int file, boolean fails) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.SYNC;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      if (fails) {
        nodes.file(file).failSync();
      } else {
        nodes.file(file).sync();
      }
    }
  }

  record Create(Path path, int parent, String name, int node, boolean isDirectory) implements Step {
    @Override
    public OperationKind kind() {
      return isDirectory ? OperationKind.CREATE_DIRECTORY : OperationKind.CREATE;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      Node made = isDirectory ? new DirectoryNode(node) : new FileNode(node);
      nodes.add(made);
      nodes.directory(parent).put(operation, name, made);
    }
  }

  record Rename(Path path, int from, String fromName, int to, String toName) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.RENAME;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      DirectoryNode.rename(operation, nodes.directory(from), fromName, nodes.directory(to), toName);
    }
  }

  record Delete(Path path, int parent, String name) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.DELETE;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      nodes.directory(parent).remove(operation, name);
    }
  }

  record SyncDirectory(Path path, int directory) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.SYNC_DIRECTORY;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      nodes.directory(directory).sync();
    }
  }

  record Rot(Path path, int file, long offset, int mask) implements Step {
    @Override
    public OperationKind kind() {
      return OperationKind.ROT;
    }

    @Override
    public void apply(long operation, Nodes nodes) {
      nodes.file(file).rot(offset, mask);
    }
  }

  /// It failed and changed nothing.
  record Nothing(Path path, OperationKind kind) implements Step {
    @Override
    public void apply(long operation, Nodes nodes) {}
  }
}
