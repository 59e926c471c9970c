package dev.kvorum.bolt;

import java.util.SplittableRandom;

/// Seeds of random tests: `-Dkvorum.seed=` replays one.
final class Seed {
  private Seed() {}

  static long[] seeds(int count) {
    String given = System.getProperty("kvorum.seed");
    if (given != null) {
      return new long[] {Long.decode(given)};
    }
    SplittableRandom random = new SplittableRandom();
    long[] seeds = new long[count];
    for (int i = 0; i < count; i++) {
      seeds[i] = random.nextLong();
    }
    return seeds;
  }

  /// Runs `body`, naming the seed if it fails.
  static void run(long seed, Body body) throws Exception {
    try {
      body.run(new SplittableRandom(seed));
    } catch (Exception | AssertionError e) {
      throw new AssertionError("failed; replay with -Dkvorum.seed=" + seed, e);
    }
  }

  interface Body {
    void run(SplittableRandom random) throws Exception;
  }
}
