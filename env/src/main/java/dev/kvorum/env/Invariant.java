package dev.kvorum.env;

import java.util.function.Supplier;

/// Checks of our own reasoning, always on. A true check costs a branch: messages are built only on failure.
public final class Invariant {
  private Invariant() {}

  /// @throws InvariantViolation with `message` when `condition` is false
  public static void check(boolean condition, String message) {
    if (!condition) {
      throw new InvariantViolation(message);
    }
  }

  /// @throws InvariantViolation with the supplied message when `condition` is false
  public static void check(boolean condition, Supplier<String> message) {
    if (!condition) {
      throw new InvariantViolation(message.get());
    }
  }

  /// For the branch that reasoning says is never taken: `throw Invariant.unreachable(…)`.
  public static InvariantViolation unreachable(String message) {
    return new InvariantViolation(message);
  }
}
