package dev.kvorum.sim.cluster;

import dev.kvorum.member.Strides;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.sim.net.Weather;
import dev.kvorum.sim.world.LatentDisk;
import dev.kvorum.wal.WalOptions;
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
/// @param sizes of messages and files
/// @param extras what else there is in the story
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
    Weather weather,
    Sizes sizes,
    Extras extras) {

  /// How much goes into one of what is large elsewhere: the smaller, the more of them there are in a story.
  ///
  /// @param raftLimits of messages, and of what is on its way in them
  /// @param walOptions of the log's segments and its buffer
  /// @param strides of defragmentations, compactions and watchers
  public record Sizes(RaftConfig.Limits raftLimits, WalOptions walOptions, Strides strides) {
    static final Sizes DEFAULT = new Sizes(RaftConfig.Limits.ETCD, WalOptions.DEFAULT, Strides.DEFAULT);

    private static Sizes draw(SplittableRandom random, boolean leavesBehind) {
      RaftConfig.Limits limits =
          new RaftConfig.Limits(
              random.nextInt(4) == 0 ? 0 : 16L << random.nextInt(12),
              64L << random.nextInt(14),
              RaftConfig.UNLIMITED,
              1 + random.nextInt(1 << random.nextInt(8)),
              0);
      WalOptions log = new WalOptions(4_096L << random.nextInt(10), 4_096 << random.nextInt(6), false);
      Strides strides =
          new Strides(
              1 << random.nextInt(3),
              1 << random.nextInt(5),
              1 << random.nextInt(10),
              1 << random.nextInt(6),
              1 << random.nextInt(8));
      return new Sizes(
          random.nextBoolean() ? limits : RaftConfig.Limits.ETCD,
          random.nextBoolean() ? log : WalOptions.DEFAULT,
          leavesBehind || random.nextBoolean() ? strides : Strides.DEFAULT);
    }
  }

  /// What is in some stories only, each drawn by itself.
  ///
  /// @param backsUp whether somebody has the database streamed
  /// @param movesLeader whether the operator moves leadership
  /// @param quotaBytes of the database; [#QUOTA_NONE] where it is never reached
  /// @param rots whether files of machines that are off rot
  /// @param losesFiles whether they are lost whole
  /// @param pausesLeaders whether leaders are paused for longer than an election takes
  /// @param leavesBehind whether members are left behind for so long that they need the leader's database
  /// @param leaseCheckpoint whether leaders tell the others how much time leases have left
  /// @param longLeases a story of many minutes with leases of more than the five that are between two checkpoints
  public record Extras(
      boolean backsUp,
      boolean movesLeader,
      long quotaBytes,
      boolean rots,
      boolean losesFiles,
      boolean pausesLeaders,
      boolean leavesBehind,
      boolean leaseCheckpoint,
      boolean longLeases) {
    public static final long QUOTA_NONE = 2L << 30;

    public boolean hasQuota() {
      return quotaBytes < QUOTA_NONE;
    }

    static Extras draw(SplittableRandom random, int valueBytesMax, boolean leavesBehind, boolean longLeases) {
      long quotaLeast = valueBytesMax > 100 ? 160 << 10 : 32 << 10; // an empty database has five pages
      return new Extras(
          random.nextInt(3) == 0,
          random.nextInt(3) == 0,
          random.nextInt(4) == 0 ? quotaLeast << random.nextInt(3) : QUOTA_NONE,
          random.nextInt(4) == 0,
          random.nextInt(6) == 0,
          random.nextInt(4) == 0,
          leavesBehind,
          longLeases || random.nextInt(4) == 0,
          longLeases);
    }
  }

  /// No client asks for a longer lease.
  public int leaseSecondsMax() {
    return extras.longLeases() ? 365 : 22;
  }

  public static Scenario draw(SplittableRandom random, int membersMax) {
    boolean longLeases = random.nextInt(40) == 0;
    boolean leavesBehind = random.nextInt(4) == 0 && !longLeases;
    int drawn = random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(longLeases ? 3 : 7);
    int members = Math.min(membersMax, leavesBehind ? 3 + drawn / 2 : drawn);
    boolean calm = random.nextInt(10) == 0;
    boolean slow = random.nextInt(6) == 0;
    int clients = 2 + random.nextInt(10);
    int valueBytesMax = random.nextInt(4) == 0 ? 4_000 : 40;
    return new Scenario(
        members,
        (longLeases ? 330 + random.nextLong(150) : 10 + random.nextLong(leavesBehind ? 15 : 50)) * 1_000_000_000L,
        calm ? 0 : (longLeases ? 10_000_000_000L : 300_000_000L) << random.nextInt(5),
        clients,
        20 + random.nextInt(400) / clients * 3,
        2 + random.nextInt(18),
        valueBytesMax,
        random.nextInt(3) == 0 ? 0.02 : 0.0005,
        random.nextInt(5) != 0,
        random.nextInt(3) == 0,
        random.nextInt(3) == 0,
        5L << random.nextInt(leavesBehind ? 2 : 10),
        1L << random.nextInt(leavesBehind ? 2 : 9),
        (1L << random.nextInt(8)) * 1_000_000,
        1 << random.nextInt(12),
        1 << random.nextInt(8),
        (1 + random.nextInt(20)) * 100_000_000L,
        random.nextInt(8) == 0 ? 20 : 0,
        new LatentDisk.Speed(
            2_000L << random.nextInt(4),
            (slow ? 4_000_000L : 100_000L) << random.nextInt(4),
            // a leader whose disk hangs for an election timeout is no more, and the next gives leases all their time again
            random.nextInt(3) == 0 && !longLeases ? random.nextInt(30) : 0,
            20_000_000L << random.nextInt(8)),
        Weather.draw(random),
        Sizes.draw(random, leavesBehind),
        Extras.draw(random, valueBytesMax, leavesBehind, longLeases));
  }
}
