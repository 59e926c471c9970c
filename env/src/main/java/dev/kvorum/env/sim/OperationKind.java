package dev.kvorum.env.sim;

/// What a disk is asked to do. All but READ change something and are numbered.
public enum OperationKind {
  READ,
  WRITE,
  RESIZE,
  ALLOCATE,
  SYNC,
  CREATE,
  CREATE_DIRECTORY,
  RENAME,
  DELETE,
  SYNC_DIRECTORY,
  /// Stored bits flip by themselves.
  ROT
}
