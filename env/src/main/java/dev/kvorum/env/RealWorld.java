package dev.kvorum.env;

import java.util.random.RandomGenerator;

/// The world as it is: system time, the machine's disk, one thread a loop, entropy from the system.
public final class RealWorld {
  private RealWorld() {}

  /// @param workerCount threads of [Loops#workers]
  public static World create(int workerCount) {
    return create(workerCount, Failpoints.NONE);
  }

  /// The same, with what a test has planted.
  public static World create(int workerCount, Failpoints failpoints) {
    return new World(
        new SystemClock(), new RealDisk(), new ThreadLoops(workerCount), RandomGenerator.getDefault(), failpoints);
  }

  private static final class SystemClock implements Clock {
    @Override
    public long nanos() {
      return System.nanoTime();
    }

    @Override
    public long wallMillis() {
      return System.currentTimeMillis();
    }
  }
}
