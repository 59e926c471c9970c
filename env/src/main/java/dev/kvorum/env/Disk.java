package dev.kvorum.env;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// A file system, as much of it as a store needs.
///
/// Durability follows POSIX: what a file holds survives power loss only after [DiskFile#sync], and names (creation,
/// rename, removal) only after [#syncDirectory] of their directory.
public interface Disk {
  /// How [#open] treats the file. All files are created with mode 0600.
  enum OpenMode {
    /// Must exist; writes are refused.
    READ,
    /// Must exist.
    WRITE,
    /// Created if absent.
    CREATE,
    /// Must not exist.
    CREATE_NEW
  }

  /// @throws java.nio.file.NoSuchFileException when absent and the mode does not create
  /// @throws java.nio.file.FileAlreadyExistsException with `CREATE_NEW`
  DiskFile open(Path file, OpenMode mode) throws IOException;

  boolean exists(Path path);

  boolean isDirectory(Path path);

  /// Names (not paths) in `directory`, in byte order, without `.` and `..`.
  List<String> list(Path directory) throws IOException;

  /// Creates `directory` and missing parents with mode 0700; existing ones are left as they are.
  void createDirectories(Path directory) throws IOException;

  /// Atomically gives `from` the name `to`, replacing a file there; also renames directories.
  void rename(Path from, Path to) throws IOException;

  /// Removes a file or an empty directory. @return false when there was none
  boolean delete(Path path) throws IOException;

  /// Removes a tree. Absent is fine.
  void deleteTree(Path path) throws IOException;

  /// Makes names in `directory` durable.
  void syncDirectory(Path directory) throws IOException;
}
