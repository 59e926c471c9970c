package dev.kvorum.bench;

import java.io.IOException;

/// The server answered a call of the preparation with a status other than OK, so the row cannot be measured.
final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  RefusedException(String path, int status, String text) {
    super(path + " was refused: status " + status + ", " + text);
  }
}
