package dev.kvorum.env;

import java.io.IOException;
import java.nio.file.Path;

/// Bytes on disk that cannot be what we wrote: the world failed, not we. Names the file and the offset in bytes.
public final class CorruptionException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient Path file;
  private final long offset;

  public CorruptionException(Path file, long offset, String what) {
    super(what + " (" + file + " at offset " + offset + ")");
    this.file = file;
    this.offset = offset;
  }

  public Path file() {
    return file;
  }

  public long offset() {
    return offset;
  }
}
