package dev.kvorum.member;

import dev.kvorum.raft.RaftConfig;
import dev.kvorum.wal.WalOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// All that a member is told at start. Checked by whoever builds it (`server` from flags, tests by hand).
///
/// @param initialCluster member name to its advertised peer URLs, in the order given
/// @param clusterExists true for `--initial-cluster-state=existing`
/// @param electionTicks election timeout in ticks
/// @param initialElectionTickAdvance start most of the way into the first election timeout, once others are in reach
/// @param quotaBytes resolved quota: positive, or negative when disabled
/// @param maxRequestBytes largest encoded raft request
/// @param backendBatchOperations operations after which the backend commits early
/// @param autoCompactionMode and retention as in `--auto-compaction-*`; retention 0 is off
/// @param progressNotifyNanos `--watch-progress-notify-interval`
/// @param walOptions how the log is written
/// @param raftLimits how much may be on its way between members; etcd fixes it
/// @param strides of what goes on beside requests
/// @param memoryBytes what requests in flight may take of memory together
public record MemberConfig(
    String name,
    Path dataDir,
    Path walDir,
    List<String> advertisePeerUrls,
    List<String> advertiseClientUrls,
    Map<String, List<String>> initialCluster,
    String clusterToken,
    boolean clusterExists,
    boolean forceNewCluster,
    long tickNanos,
    int electionTicks,
    boolean preVote,
    boolean initialElectionTickAdvance,
    boolean strictReconfigCheck,
    long snapshotCount,
    long snapshotCatchupEntries,
    int maxWals,
    int maxSnapshots,
    long quotaBytes,
    int maxRequestBytes,
    int maxTxnOps,
    long backendBatchNanos,
    int backendBatchOperations,
    int compactionBatchLimit,
    long compactionSleepNanos,
    AutoCompactionMode autoCompactionMode,
    long autoCompactionRetention,
    long progressNotifyNanos,
    long warningApplyNanos,
    long bootstrapDefragBytes,
    boolean leaseCheckpoint,
    boolean leaseCheckpointPersist,
    boolean priorityRequest,
    WalOptions walOptions,
    RaftConfig.Limits raftLimits,
    int maxLearners,
    String serverVersion,
    Strides strides,
    long memoryBytes) {

  public enum AutoCompactionMode {
    /// Retention is nanoseconds of history.
    PERIODIC,
    /// Retention is a number of revisions.
    REVISION
  }

  public Path memberDir() {
    return dataDir.resolve("member");
  }

  public Path snapDir() {
    return memberDir().resolve("snap");
  }

  public Path dbFile() {
    return snapDir().resolve("db");
  }

  public long electionNanos() {
    return electionTicks * tickNanos;
  }

  /// How long a request may wait: 5 s and two election timeouts.
  public long requestTimeoutNanos() {
    return 5_000_000_000L + 2 * electionNanos();
  }
}
