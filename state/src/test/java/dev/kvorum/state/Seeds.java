package dev.kvorum.state;

import java.util.Random;

/// Seeds of random tests: fresh each run, printed, and fixed by `-Dkvorum.seed=`.
final class Seeds {
  private Seeds() {}

  static Random random(String test) {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    System.out.println(test + ": -Dkvorum.seed=" + seed);
    return new Random(seed);
  }
}
