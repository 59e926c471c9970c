package dev.kvorum.env.sim;

import java.nio.file.Path;

/// Decides what goes wrong. Asked once for each operation, before it happens; must depend on nothing but its arguments,
/// its own state and an injected random generator, so that a seed repeats it.
public interface Faults {
  /// Everything goes well.
  Faults NONE = (operation, kind, path, bytes) -> Fault.NONE;

  /// @param operation its number, that of the next operation for a read (reads have none)
  /// @param path the file's own at the time it was opened
  /// @param bytes how many are read or written; the new size for RESIZE and ALLOCATE; 0 else
  Fault on(long operation, OperationKind kind, Path path, long bytes);

  /// Operation number `operation` goes as `fault` says, the others well.
  static Faults at(long operation, Fault fault) {
    return (number, kind, path, bytes) -> number == operation && kind != OperationKind.READ ? fault : Fault.NONE;
  }

  /// All operations of `kind` go as `fault` says, from now on.
  static Faults all(OperationKind kind, Fault fault) {
    return (number, asked, path, bytes) -> asked == kind ? fault : Fault.NONE;
  }
}
