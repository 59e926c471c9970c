package dev.kvorum.sim.net;

import java.util.SplittableRandom;

/// How the network is: what it does to a message that no cut stops.
///
/// @param delayNanos the usual way's length; each message takes up to twice that
/// @param lossPerMille how many of a thousand messages are lost
/// @param repeatPerMille how many arrive twice
/// @param reorderPerMille how many may be overtaken, being late by up to `lateNanos`
public record Weather(long delayNanos, int lossPerMille, int repeatPerMille, int reorderPerMille, long lateNanos) {
  public static final Weather FAIR = new Weather(200_000, 0, 0, 0, 0);

  /// Anything from fair to foul.
  public static Weather draw(SplittableRandom random) {
    long delay = 50_000L << random.nextInt(8);
    boolean foul = random.nextBoolean();
    return new Weather(
        delay,
        foul ? random.nextInt(80) : 0,
        foul && random.nextBoolean() ? random.nextInt(60) : 0,
        random.nextBoolean() ? random.nextInt(200) : 0,
        random.nextInt(3) == 0 ? random.nextLong(2_000_000_000L) : (delay * (1 + random.nextInt(40))) << random.nextInt(4));
  }
}
