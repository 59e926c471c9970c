package dev.kvorum.server.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Everything an operator decided, checked once and passed down. Durations are nanoseconds, sizes bytes, unless a name
/// ends in another unit. Defaults that depend on other settings are filled in.
///
/// @param walDir where the write-ahead log lives; `<data-dir>/member/wal` unless it has a directory of its own
/// @param walDirGiven what `--wal-dir` said, empty when nothing
/// @param maxLearners learners a cluster may have
/// @param unsafeNoSync never wait for the disk
/// @param pendingFlags flags that were given and whose function is not built yet
public record ServerConfig(
    String name,
    Path dataDir,
    Path walDir,
    String walDirGiven,
    Listeners listeners,
    Bootstrap bootstrap,
    Raft raft,
    Backend backend,
    Limits limits,
    Compaction compaction,
    Security security,
    Auth auth,
    Logging logging,
    Monitoring monitoring,
    Tracing tracing,
    Checks checks,
    Discovery discovery,
    FeatureGates gates,
    int maxLearners,
    boolean unsafeNoSync,
    List<String> pendingFlags) {

  /// Sockets: where we listen, and what we tell others.
  ///
  /// @param clientHttp when not empty, HTTP is served only there and gRPC only on `client`
  public record Listeners(
      List<GoUrl> peer,
      List<GoUrl> client,
      List<GoUrl> clientHttp,
      List<GoUrl> metrics,
      List<GoUrl> advertisePeer,
      List<GoUrl> advertiseClient,
      boolean reusePort,
      boolean reuseAddress,
      boolean grpcGateway) {}

  /// How a cluster comes to be.
  ///
  /// @param cluster member name to its peer URLs, in order of names
  /// @param clusterText the same as one text, as given
  /// @param existing true when this member joins a cluster
  public record Bootstrap(
      Map<String, List<GoUrl>> cluster,
      String clusterText,
      boolean existing,
      String token,
      boolean forceNewCluster,
      boolean strictReconfigCheck) {
    /// `new` or `existing`.
    public String state() {
      return existing ? "existing" : "new";
    }
  }

  /// @param heartbeatMillis one tick
  /// @param electionMillis 5 ticks at least
  /// @param tickAdvance start with the election clock nearly run down
  public record Raft(
      long heartbeatMillis,
      long electionMillis,
      boolean tickAdvance,
      boolean preVote,
      long snapshotCount,
      long snapshotCatchupEntries,
      long maxSnapshots,
      long maxWals,
      long readTimeoutNanos,
      long writeTimeoutNanos) {
    public int electionTicks() {
      return (int) (electionMillis / heartbeatMillis);
    }
  }

  /// @param quotaBytes positive, or negative for no limit
  /// @param quotaIsDefault true when nobody chose it
  /// @param freelistType `map` or `array`
  /// @param batchIntervalGiven true when an operator chose the interval
  public record Backend(
      long quotaBytes,
      boolean quotaIsDefault,
      String freelistType,
      long batchIntervalNanos,
      boolean batchIntervalGiven,
      long batchLimit,
      boolean lockMemory,
      long defragThresholdMegabytes) {}

  /// What one client or request may take.
  ///
  /// @param maxConcurrentStreams up to 2³²−1
  public record Limits(
      long maxTxnOps,
      long maxRequestBytes,
      long maxConcurrentStreams,
      long keepaliveMinTimeNanos,
      long keepaliveIntervalNanos,
      long keepaliveTimeoutNanos,
      long watchProgressNotifyNanos,
      long warningApplyNanos,
      long warningUnaryRequestNanos) {}

  /// @param byRevision true when `retention` counts revisions, false when it is nanoseconds
  /// @param retention 0 turns automatic compaction off
  public record Compaction(boolean byRevision, long retention, long batchLimit, long sleepNanos) {
    /// `periodic` or `revision`.
    public String mode() {
      return byRevision ? "revision" : "periodic";
    }
  }

  /// Files and switches of one kind of listener. Empty texts mean not given.
  public record Tls(
      String certFile,
      String keyFile,
      String clientCertFile,
      String clientKeyFile,
      String trustedCaFile,
      String crlFile,
      boolean clientCertAuth,
      boolean auto,
      List<String> allowedNames,
      List<String> allowedHostnames) {
    /// True when a certificate or a key is named.
    public boolean isGiven() {
      return !certFile.isEmpty() || !keyFile.isEmpty();
    }
  }

  /// @param cors origins, or the single `*`
  /// @param hostWhitelist names, `*` among them for all
  /// @param tlsMax empty for the newest
  public record Security(
      Tls client,
      Tls peer,
      boolean peerSkipClientSanVerification,
      List<String> cipherSuites,
      String tlsMin,
      String tlsMax,
      long selfSignedYears,
      List<String> cors,
      List<String> hostWhitelist) {}

  /// @param token kind and options, such as `simple`; empty for no tokens
  public record Auth(String token, long bcryptCost, long tokenTtlSeconds) {}

  /// @param level `debug`, `info`, `warn`, `error`, `panic` or `fatal`
  /// @param console true for lines made for people instead of JSON
  public record Logging(
      List<String> outputs, String level, boolean console, boolean rotate, LogRotation rotation) {}

  /// @param maxMegabytes size at which a file is closed; 0 means 100
  /// @param maxAgeDays and `maxBackups`: 0 keeps all
  public record LogRotation(
      int maxMegabytes, int maxAgeDays, int maxBackups, boolean localTime, boolean compress) {}

  /// @param extensive add the latency histograms of each RPC
  public record Monitoring(boolean pprof, boolean extensive) {}

  /// @param samplesPerMillion 0 traces only what the caller traces
  public record Tracing(
      boolean enabled, String address, String serviceName, String instanceId, long samplesPerMillion) {}

  /// Periods between comparisons of the members' data; 0 is off.
  public record Checks(long corruptNanos, long compactHashNanos, long downgradeNanos) {}

  /// The discovery service, and DNS.
  public record Discovery(
      String token,
      List<String> endpoints,
      long dialTimeoutNanos,
      long requestTimeoutNanos,
      long keepaliveTimeNanos,
      long keepaliveTimeoutNanos,
      boolean insecureTransport,
      boolean insecureSkipTlsVerify,
      String certFile,
      String keyFile,
      String caFile,
      String user,
      String password,
      String srv,
      String srvName) {}
}
