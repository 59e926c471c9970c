package dev.kvorum.state;

import java.io.IOException;

/// A committed entry, or a stored record, that this program cannot take without differing from the other members. The
/// member stops before it changes anything, and meets the same entry again when it is started again; etcd panics.
public final class UnappliableException extends IOException {
  private static final long serialVersionUID = 1L;

  public UnappliableException(String message) {
    super(message);
  }

  public UnappliableException(String message, Throwable cause) {
    super(message, cause);
  }
}
