package dev.kvorum.env.sim;

/// What a name names. Its id tells the same node in a disk and in copies of it.
sealed interface Node permits FileNode, DirectoryNode {
  int id();
}
