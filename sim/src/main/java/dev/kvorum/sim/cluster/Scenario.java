package dev.kvorum.sim.cluster;

import dev.kvorum.sim.net.Weather;
import dev.kvorum.sim.world.LatentDisk;
import java.util.SplittableRandom;

/// The shape of one run: all that is drawn once, before anything happens.
///
/// @param members how many found the cluster
/// @param actOneNanos how long faults may happen
/// @param troubleEveryNanos the usual time between two faults; 0 for a run without
/// @param clients how many ask for keys
/// @param opsEach how many requests each of them makes in act one
/// @param keys how many keys they share
/// @param drift of members' clocks: each runs at a rate within 1 ± this
/// @param diskFaults whether disks may fail, and not only lose power
/// @param reconfigures whether members come and go
public record Scenario(
    int members,
    long actOneNanos,
    long troubleEveryNanos,
    int clients,
    int opsEach,
    int keys,
    int valueBytesMax,
    double drift,
    boolean preVote,
    boolean diskFaults,
    boolean reconfigures,
    long snapshotCount,
    long snapshotCatchupEntries,
    long backendBatchNanos,
    int backendBatchOperations,
    int compactionBatchLimit,
    long progressNotifyNanos,
    int rejectPerMille,
    LatentDisk.Speed speed,
    Weather weather) {

  public static Scenario draw(SplittableRandom random, int membersMax) {
    int members = Math.min(membersMax, random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(7));
    boolean calm = random.nextInt(10) == 0;
    boolean slow = random.nextInt(6) == 0;
    int clients = 2 + random.nextInt(10);
    return new Scenario(
        members,
        (10 + random.nextLong(50)) * 1_000_000_000L,
        calm ? 0 : 300_000_000L << random.nextInt(5),
        clients,
        20 + random.nextInt(400) / clients * 3,
        2 + random.nextInt(18),
        random.nextInt(4) == 0 ? 4_000 : 40,
        random.nextInt(3) == 0 ? 0.02 : 0.0005,
        random.nextInt(5) != 0,
        random.nextInt(3) == 0,
        random.nextInt(3) == 0,
        5L << random.nextInt(10),
        1L << random.nextInt(9),
        (1L << random.nextInt(8)) * 1_000_000,
        1 << random.nextInt(12),
        1 << random.nextInt(8),
        (1 + random.nextInt(20)) * 100_000_000L,
        random.nextInt(8) == 0 ? 20 : 0,
        new LatentDisk.Speed(
            2_000L << random.nextInt(4),
            (slow ? 4_000_000L : 100_000L) << random.nextInt(4),
            random.nextInt(3) == 0 ? random.nextInt(30) : 0,
            20_000_000L << random.nextInt(8)),
        Weather.draw(random));
  }
}
