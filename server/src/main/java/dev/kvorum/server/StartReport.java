package dev.kvorum.server;

import dev.kvorum.server.config.FeatureGates.Gate;
import dev.kvorum.server.config.GoDuration;
import dev.kvorum.server.config.GoUrl;
import dev.kvorum.server.config.ServerConfig;
import dev.kvorum.server.config.ServerConfig.Backend;
import dev.kvorum.server.config.ServerConfig.Discovery;
import dev.kvorum.server.config.ServerConfig.Listeners;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/// The line that echoes every setting, with its keys in etcd's order, and the warnings that settings are worth.
final class StartReport {
  private static final Logger LOG = LoggerFactory.getLogger(StartReport.class);
  private static final String QUOTA_NAME = "v3-applier";
  private static final long QUOTA_BYTES_MAX = 8L * 1024 * 1024 * 1024;
  private static final long RECOMMENDED_REQUEST_BYTES = 10L * 1024 * 1024;

  private LoggingEventBuilder line = LOG.atInfo();

  private StartReport() {}

  /// @param initialized true when a member has lived in the data directory: the bootstrap settings then mean nothing
  static void log(ServerConfig config, boolean initialized) {
    for (String flag : config.pendingFlags()) {
      LOG.atInfo().addKeyValue("flag", flag).log("flag accepted; its function is not available yet");
    }
    StartReport report = new StartReport();
    report.program();
    report.directories(config, initialized);
    report.raft(config);
    report.listeners(config.listeners());
    report.bootstrap(config, initialized);
    report.limits(config);
    report.compaction(config);
    report.discovery(config.discovery());
    report
        .duration("downgrade-check-interval", config.checks().downgradeNanos())
        .add("max-learners", config.maxLearners())
        .add("v2-deprecation", "write-only");
    report.line.log("starting an etcd server");
    warn(config);
  }

  private static void warn(ServerConfig config) {
    if (config.backend().batchIntervalGiven()) {
      LOG.atInfo().addKeyValue("batch interval", GoDuration.format(config.backend().batchIntervalNanos()))
          .log("setting backend batch interval");
    }
    if (config.limits().maxRequestBytes() > RECOMMENDED_REQUEST_BYTES) {
      LOG.atWarn()
          .addKeyValue("max-request-bytes", config.limits().maxRequestBytes())
          .addKeyValue("max-request-size", ByteSize.text(config.limits().maxRequestBytes()))
          .addKeyValue("recommended-request-bytes", RECOMMENDED_REQUEST_BYTES)
          .addKeyValue("recommended-request-size", ByteSize.text(RECOMMENDED_REQUEST_BYTES))
          .log("exceeded recommended request limit");
    }
  }

  /// Says how large the database may grow.
  static void logQuota(Backend backend) {
    long quota = backend.quotaBytes();
    if (quota < 0) {
      LOG.atInfo().addKeyValue("quota-name", QUOTA_NAME).addKeyValue("quota-size-bytes", quota)
          .log("disabled backend quota");
      return;
    }
    boolean tooMuch = quota > QUOTA_BYTES_MAX;
    LoggingEventBuilder line =
        (tooMuch ? LOG.atWarn() : LOG.atInfo())
            .addKeyValue("quota-name", QUOTA_NAME)
            .addKeyValue("quota-size-bytes", quota)
            .addKeyValue("quota-size", ByteSize.text(quota));
    if (tooMuch) {
      line.addKeyValue("quota-maximum-size-bytes", QUOTA_BYTES_MAX)
          .addKeyValue("quota-maximum-size", ByteSize.text(QUOTA_BYTES_MAX))
          .log("quota exceeds the maximum value");
    } else {
      line.log(backend.quotaIsDefault() ? "enabled backend quota with default value" : "enabled backend quota");
    }
  }

  private void program() {
    int processors = Runtime.getRuntime().availableProcessors();
    add("etcd-version", BuildInfo.ETCD_VERSION);
    add("git-sha", BuildInfo.gitSha());
    add("go-version", BuildInfo.runtime());
    add("go-os", BuildInfo.os());
    add("go-arch", BuildInfo.architecture());
    add("max-cpu-set", processors);
    add("max-cpu-available", processors);
  }

  private void directories(ServerConfig config, boolean initialized) {
    add("member-initialized", initialized);
    add("name", config.name());
    add("data-dir", config.dataDir().toString());
    add("wal-dir", config.walDirGiven());
    add("wal-dir-dedicated", config.walDirGiven());
    add("member-dir", config.dataDir().resolve("member").toString());
    add("force-new-cluster", config.bootstrap().forceNewCluster());
  }

  private void raft(ServerConfig config) {
    add("heartbeat-interval", GoDuration.format(config.raft().heartbeatMillis() * 1_000_000));
    add("election-timeout", GoDuration.format(config.raft().electionMillis() * 1_000_000));
    add("initial-election-tick-advance", config.raft().tickAdvance());
    add("snapshot-count", config.raft().snapshotCount());
    add("max-wals", config.raft().maxWals());
    add("max-snapshots", config.raft().maxSnapshots());
    add("snapshot-catchup-entries", config.raft().snapshotCatchupEntries());
  }

  private void listeners(Listeners listeners) {
    add("initial-advertise-peer-urls", GoUrl.texts(listeners.advertisePeer()));
    add("listen-peer-urls", GoUrl.texts(listeners.peer()));
    add("advertise-client-urls", GoUrl.texts(listeners.advertiseClient()));
    add("listen-client-urls", GoUrl.texts(listeners.client()));
    add("listen-metrics-urls", GoUrl.texts(listeners.metrics()));
    add("local-address", "");
  }

  private void bootstrap(ServerConfig config, boolean initialized) {
    add("cors", config.security().cors());
    add("host-whitelist", config.security().hostWhitelist());
    add("initial-cluster", initialized ? "" : config.bootstrap().clusterText());
    add("initial-cluster-state", config.bootstrap().state());
    add("initial-cluster-token", initialized ? "" : config.bootstrap().token());
  }

  private void limits(ServerConfig config) {
    add("quota-backend-bytes", config.backend().quotaBytes());
    add("max-request-bytes", config.limits().maxRequestBytes());
    add("max-concurrent-streams", config.limits().maxConcurrentStreams());
    add("pre-vote", config.raft().preVote());
    add("feature-gates", config.gates().toString());
    add("initial-corrupt-check", config.gates().isOn(Gate.InitialCorruptCheck));
    duration("corrupt-check-time-interval", config.checks().corruptNanos());
    duration("compact-check-time-interval", config.checks().compactHashNanos());
  }

  private void compaction(ServerConfig config) {
    add("auto-compaction-mode", config.compaction().mode());
    duration("auto-compaction-retention", config.compaction().retention());
    duration("auto-compaction-interval", config.compaction().retention());
  }

  private void discovery(Discovery discovery) {
    add("discovery-token", discovery.token());
    add("discovery-endpoints", String.join(",", discovery.endpoints()));
    duration("discovery-dial-timeout", discovery.dialTimeoutNanos());
    duration("discovery-request-timeout", discovery.requestTimeoutNanos());
    duration("discovery-keepalive-time", discovery.keepaliveTimeNanos());
    duration("discovery-keepalive-timeout", discovery.keepaliveTimeoutNanos());
    add("discovery-insecure-transport", discovery.insecureTransport());
    add("discovery-insecure-skip-tls-verify", discovery.insecureSkipTlsVerify());
    add("discovery-cert", discovery.certFile());
    add("discovery-key", discovery.keyFile());
    add("discovery-cacert", discovery.caFile());
    add("discovery-user", discovery.user());
  }

  private StartReport duration(String key, long nanos) {
    return add(key, GoDuration.format(nanos));
  }

  private StartReport add(String key, Object value) {
    line = line.addKeyValue(key, value);
    return this;
  }
}
