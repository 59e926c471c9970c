package dev.kvorum.sim.world;

import org.jspecify.annotations.Nullable;

/// One flow of control in the simulated world: what a thread is in the real one.
public final class Strand {
  final @Nullable SimHost host;
  final String name;
  final Coroutine coroutine;
  /// It does not run before this time.
  long heldUntilNanos;

  Strand(@Nullable SimHost host, String name, Runnable body) {
    this.host = host;
    this.name = name;
    this.coroutine = new Coroutine(body);
  }

  public boolean isDone() {
    return coroutine.isDone();
  }
}
