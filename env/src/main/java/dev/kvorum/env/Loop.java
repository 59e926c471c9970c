package dev.kvorum.env;

import java.util.concurrent.Executor;

/// The owner of mutable state: runs tasks one at a time, in the order they came.
///
/// In production each loop is one thread; in the simulator one scheduler steps them all. Tasks never block, except on
/// the disk in loops whose work is the disk. A task that throws is our bug: the loop stops and its `onFailure` (given to
/// [Loops#loop]) hears of it once.
public interface Loop extends Executor {
  /// The bounded way in, for work that callers can be told to retry.
  ///
  /// @return false when the inbox is full or the loop has stopped; the task then never runs
  boolean offer(Runnable task);

  /// The way in for what must not be lost (completions from other loops, ticks): not bounded, dropped only after stop.
  @Override
  void execute(Runnable task);

  /// Runs `task` on this loop, `delayNanos` from now at the earliest.
  Cancellable schedule(long delayNanos, Runnable task);

  /// True when the caller runs on this loop.
  boolean isCurrent();

  /// Guards owned state. @throws InvariantViolation when called from elsewhere
  default void assertCurrent() {
    Invariant.check(isCurrent(), "called outside the owning loop");
  }

  /// Tasks waiting now; for metrics and back-pressure only.
  int backlog();

  /// Runs what is queued, then ends; later tasks are dropped. Returns at once.
  void stop();

  /// Waits until the loop has ended. Never called from the loop itself.
  ///
  /// @return false when `timeoutNanos` passed first
  boolean awaitStopped(long timeoutNanos) throws InterruptedException;
}
