package dev.kvorum.env;

import java.util.random.RandomGenerator;

/// All that a member may know of the outside. `random` is for whoever owns it at the time: it is not thread-safe, so
/// each loop that needs randomness splits its own at construction.
///
/// @param failpoints what tests have planted; [Failpoints#NONE] otherwise
public record World(Clock clock, Disk disk, Loops loops, RandomGenerator random, Failpoints failpoints) {
  /// A world in which nothing fails on purpose.
  public World(Clock clock, Disk disk, Loops loops, RandomGenerator random) {
    this(clock, disk, loops, random, Failpoints.NONE);
  }
}
