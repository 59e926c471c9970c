package dev.kvorum.sim.world;

import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;

/// Code that can be put aside in its middle and taken up again, on one thread.
///
/// It lets the simulator stop a member's loop at any operation of its disk, as the machine's scheduler would, while the
/// loop's code knows nothing of it; and forget a loop halfway, as a crash does: what is never resumed runs no `finally`.
///
/// This is what the JDK's virtual threads are made of. Their own scheduler cannot be seeded, so the continuation is used
/// by itself; it is not public and needs `--add-exports java.base/jdk.internal.vm=ALL-UNNAMED`. Only the simulator does.
final class Coroutine {
  private static final ContinuationScope SCOPE = new ContinuationScope("sim");

  private final Continuation continuation;

  Coroutine(Runnable body) {
    continuation = new Continuation(SCOPE, body);
  }

  /// Runs until it suspends itself or ends. What it throws comes out here.
  void resume() {
    continuation.run();
  }

  boolean isDone() {
    return continuation.isDone();
  }

  /// Puts the running one aside.
  static void suspend() {
    Continuation.yield(SCOPE);
  }
}
