package dev.kvorum.sim;

/// The program behind `bin/sim`.
public final class Simulator {
  private Simulator() {}
}
