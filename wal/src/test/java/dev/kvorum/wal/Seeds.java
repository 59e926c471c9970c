package dev.kvorum.wal;

import java.util.SplittableRandom;

/// One seed per run, printed, and repeatable with `-Dkvorum.seed=`.
final class Seeds {
  private Seeds() {}

  static SplittableRandom random(String test) {
    Long given = Long.getLong("kvorum.seed");
    long seed = given != null ? given : System.nanoTime();
    System.out.println(test + ": -Dkvorum.seed=" + seed);
    return new SplittableRandom(seed);
  }
}
