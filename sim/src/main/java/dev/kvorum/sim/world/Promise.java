package dev.kvorum.sim.world;

import org.jspecify.annotations.Nullable;

/// A value to come, which one strand may wait for.
public final class Promise<T> {
  private final Scheduler scheduler;
  private @Nullable T value;
  private @Nullable Strand waiter;

  public Promise(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  public boolean isKept() {
    return value != null;
  }

  /// The first value counts; later ones are ignored.
  public void keep(T kept) {
    if (value == null) {
      value = kept;
      if (waiter != null) {
        scheduler.resumeAfter(waiter, 0);
        waiter = null;
      }
    }
  }

  /// Waits on the running strand. @return null when `timeoutNanos` passed first
  public @Nullable T await(long timeoutNanos) {
    if (value == null) {
      Strand self = java.util.Objects.requireNonNull(scheduler.current());
      waiter = self;
      var timer = scheduler.after(timeoutNanos, () -> {
        if (waiter == self) {
          waiter = null;
          scheduler.resumeAfter(self, 0);
        }
      });
      scheduler.suspend();
      timer.cancel();
    }
    return value;
  }
}
