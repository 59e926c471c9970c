package dev.kvorum.member;

import java.io.IOException;

/// The member cannot start as it was told to, and says why. Nothing was changed that the next try would miss.
public final class StartupException extends IOException {
  private static final long serialVersionUID = 1L;

  public StartupException(String message) {
    super(message);
  }

  public StartupException(String message, Throwable cause) {
    super(message, cause);
  }
}
