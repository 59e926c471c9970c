package dev.kvorum.wal;

import java.io.IOException;

/// A log that is well-formed but does not fit what was asked of it. Messages are etcd's.
public final class WalException extends IOException {
  private static final long serialVersionUID = 1L;

  /// What did not fit.
  public enum Reason {
    /// No segment begins at or before the wanted index.
    FILE_NOT_FOUND,
    /// Segments are missing between the first and the last.
    SEQUENCE_GAP,
    /// The wanted snapshot's index has another term.
    SNAPSHOT_MISMATCH,
    /// The wanted snapshot was never recorded.
    SNAPSHOT_NOT_FOUND,
    /// Another process (or another [Wal] in this one) holds a segment.
    LOCKED,
    /// An earlier write or sync failed, or the log was closed: nothing more is accepted.
    STOPPED
  }

  private final Reason reason;

  WalException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  WalException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
