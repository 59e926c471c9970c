package dev.kvorum.raft.confchange;

/// A change that would break an invariant of the configuration. An expected refusal: stackless.
public final class ConfChangeRefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  ConfChangeRefusedException(String message) {
    super(message, null, false, false);
  }
}
