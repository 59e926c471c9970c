package dev.kvorum.bolt;

import java.io.IOException;
import java.nio.file.Path;

/// Another process (or another [Bolt]) holds the file. Try again later: bbolt does every 50 ms.
public final class FileLockedException extends IOException {
  private static final long serialVersionUID = 1L;

  FileLockedException(Path file) {
    super("database file is locked by another holder: " + file);
  }
}
