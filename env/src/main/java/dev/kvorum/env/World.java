package dev.kvorum.env;

import java.util.random.RandomGenerator;

/// All that a member may know of the outside. `random` is for whoever owns it at the time: it is not thread-safe, so
/// each loop that needs randomness splits its own at construction.
public record World(Clock clock, Disk disk, Loops loops, RandomGenerator random) {}
