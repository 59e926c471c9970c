package dev.kvorum.wal;

import java.io.IOException;

/// Bytes that are not the protobuf message they should be. From the network: drop the connection. From disk: it is
/// corrupt.
public final class MalformedException extends IOException {
  private static final long serialVersionUID = 1L;

  public MalformedException(String message) {
    super(message);
  }
}
