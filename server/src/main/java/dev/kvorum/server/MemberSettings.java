package dev.kvorum.server;

import dev.kvorum.member.MemberConfig;
import dev.kvorum.member.MemberConfig.AutoCompactionMode;
import dev.kvorum.member.Strides;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.server.config.FeatureGates.Gate;
import dev.kvorum.server.config.GoUrl;
import dev.kvorum.server.config.ServerConfig;
import dev.kvorum.wal.WalOptions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What of the configuration is the member's business, in its words.
final class MemberSettings {
  private static final long MEGABYTE = 1024 * 1024;
  private static final long NANOS_PER_MILLI = 1_000_000;

  private MemberSettings() {}

  /// @param memoryBytes what requests in flight may take of memory
  static MemberConfig of(ServerConfig config, long memoryBytes) {
    Map<String, List<String>> cluster = new TreeMap<>();
    config.bootstrap().cluster().forEach((name, urls) -> cluster.put(name, GoUrl.texts(urls)));
    return new MemberConfig(
        config.name(),
        config.dataDir(),
        config.walDir(),
        GoUrl.texts(config.listeners().advertisePeer()),
        GoUrl.texts(config.listeners().advertiseClient()),
        cluster,
        config.bootstrap().token(),
        config.bootstrap().existing(),
        config.bootstrap().forceNewCluster(),
        config.raft().heartbeatMillis() * NANOS_PER_MILLI,
        config.raft().electionTicks(),
        config.raft().preVote(),
        config.raft().tickAdvance(),
        config.bootstrap().strictReconfigCheck(),
        config.raft().snapshotCount(),
        config.raft().snapshotCatchupEntries(),
        toInt(config.raft().maxWals()),
        toInt(config.raft().maxSnapshots()),
        config.backend().quotaBytes(),
        toInt(config.limits().maxRequestBytes()),
        toInt(config.limits().maxTxnOps()),
        config.backend().batchIntervalNanos(),
        toInt(config.backend().batchLimit()),
        toInt(config.compaction().batchLimit()),
        config.compaction().sleepNanos(),
        config.compaction().byRevision() ? AutoCompactionMode.REVISION : AutoCompactionMode.PERIODIC,
        config.compaction().retention(),
        config.limits().watchProgressNotifyNanos(),
        config.limits().warningApplyNanos(),
        config.backend().defragThresholdMegabytes() * MEGABYTE,
        config.gates().isOn(Gate.LeaseCheckpoint),
        config.gates().isOn(Gate.LeaseCheckpointPersist),
        config.gates().isOn(Gate.PriorityRequest),
        WalOptions.DEFAULT.withUnsafeNoSync(config.unsafeNoSync()),
        RaftConfig.Limits.ETCD,
        config.maxLearners(),
        BuildInfo.ETCD_VERSION,
        Strides.DEFAULT,
        memoryBytes);
  }

  /// Values above the `int` range are limits that nobody reaches.
  private static int toInt(long value) {
    return Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }
}
