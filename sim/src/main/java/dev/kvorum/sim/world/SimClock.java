package dev.kvorum.sim.world;

import dev.kvorum.env.Clock;

/// A member's clock: it drifts against the world's, and its wall time jumps. It outlives the member's processes.
public final class SimClock implements Clock {
  private static final long EPOCH_MILLIS = 1_800_000_000_000L;

  private final Scheduler scheduler;
  private final long bootNanos;
  private final double rate;
  private long wallOffsetMillis;

  /// @param bootNanos what it showed when the world began
  /// @param rate how many of its nanoseconds pass in one of the world's: near 1
  public SimClock(Scheduler scheduler, long bootNanos, double rate) {
    this.scheduler = scheduler;
    this.bootNanos = bootNanos;
    this.rate = rate;
  }

  @Override
  public long nanos() {
    return nanosAt(scheduler.now());
  }

  /// What this clock shows at a moment of the world's time.
  public long nanosAt(long simulatedNanos) {
    return bootNanos + (long) (simulatedNanos * rate);
  }

  @Override
  public long wallMillis() {
    return EPOCH_MILLIS + wallOffsetMillis + scheduler.now() / 1_000_000;
  }

  /// Somebody sets the wall clock.
  public void jump(long millis) {
    wallOffsetMillis += millis;
    scheduler.trace().event(scheduler.now(), "clock", "jumps", millis, 0);
  }

  /// How long `nanos` of this clock are for the world.
  public long simulated(long nanos) {
    return (long) Math.ceil(nanos / rate);
  }

  public double rate() {
    return rate;
  }
}
