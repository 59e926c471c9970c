package dev.kvorum.sim.cluster;

import dev.kvorum.sim.net.Weather;
import dev.kvorum.sim.world.LatentDisk;

/// Stories in which nothing happens but what a test does.
final class Scenarios {
  private Scenarios() {}

  /// Three members whose disks are quick and whose network is fair.
  static Scenario quiet(boolean leaseCheckpoint) {
    return new Scenario(
        3, 0, 0, 0, 0, 3, 10, 0, true, false, false, 1_000, 100, 100_000_000, 1_000, 100, 1_000_000_000, 0,
        LatentDisk.Speed.QUICK, Weather.FAIR, Scenario.Sizes.DEFAULT,
        new Scenario.Extras(false, false, Scenario.Extras.QUOTA_NONE, false, false, false, false, leaseCheckpoint, false));
  }
}
