package dev.kvorum.api;

import java.io.IOException;

/// Bytes that are not the protobuf message they should be.
///
/// From a client: a malformed request. From a peer: drop the connection. From disk: the file is corrupt. From the log:
/// the member stops, for skipping a committed entry would make it differ from the others.
public final class WireFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  public WireFormatException(String message) {
    super(message);
  }
}
