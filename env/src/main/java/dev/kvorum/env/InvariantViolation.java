package dev.kvorum.env;

/// Our own bug, found by a check. Caught only at a loop's top, which halts that member and never the JVM.
public final class InvariantViolation extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvariantViolation(String message) {
    super(message);
  }

  public InvariantViolation(String message, Throwable cause) {
    super(message, cause);
  }
}
