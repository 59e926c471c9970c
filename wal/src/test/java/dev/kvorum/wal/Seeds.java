package dev.kvorum.wal;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// One seed per run, printed, and repeatable with `-Dkvorum.seed=`.
final class Seeds {
  private Seeds() {}

  static SplittableRandom random(String test) {
    return new SplittableRandom(seed(test));
  }

  /// For tests of many small parts with a seed each: the given seed is the first part's own.
  static RandomGenerator seeds(String test) {
    long seed = seed(test);
    SplittableRandom following = new SplittableRandom(seed);
    boolean[] begun = {false};
    return () -> {
      long next = begun[0] ? following.nextLong() : seed;
      begun[0] = true;
      return next;
    };
  }

  private static long seed(String test) {
    Long given = Long.getLong("kvorum.seed");
    long seed = given != null ? given : System.nanoTime();
    System.out.println(test + ": -Dkvorum.seed=" + seed);
    return seed;
  }
}
