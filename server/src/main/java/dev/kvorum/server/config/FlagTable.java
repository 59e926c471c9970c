package dev.kvorum.server.config;

import static dev.kvorum.server.config.FlagType.BOOL;
import static dev.kvorum.server.config.FlagType.CLUSTER_STATE;
import static dev.kvorum.server.config.FlagType.DURATION;
import static dev.kvorum.server.config.FlagType.FALLBACK;
import static dev.kvorum.server.config.FlagType.GATES;
import static dev.kvorum.server.config.FlagType.IGNORED;
import static dev.kvorum.server.config.FlagType.INT;
import static dev.kvorum.server.config.FlagType.INT64;
import static dev.kvorum.server.config.FlagType.LIST;
import static dev.kvorum.server.config.FlagType.ORIGINS;
import static dev.kvorum.server.config.FlagType.SET;
import static dev.kvorum.server.config.FlagType.STRING;
import static dev.kvorum.server.config.FlagType.UINT;
import static dev.kvorum.server.config.FlagType.UINT32;
import static dev.kvorum.server.config.FlagType.UINT64;
import static dev.kvorum.server.config.FlagType.URLS;
import static dev.kvorum.server.config.FlagType.V2_DEPRECATION;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Every flag of the server, each described once: parsing, `ETCD_*` variables, the configuration file and the help
/// text all read this table, in this order.
///
/// A flag marked pending is read and checked, but what it asks for is built by a later release; the start says so in
/// the log. Take the mark away together with building the function.
final class FlagTable {
  private static final String LOG_ROTATION =
      "{\"maxsize\": 100, \"maxage\": 0, \"maxbackups\": 0, \"localtime\": false, \"compress\": false}";

  /// Words that old command lines carry and that have long meant nothing.
  private static final List<String> IGNORED_NAMES =
      List.of(
          "cluster-active-size", "cluster-remove-delay", "cluster-sync-interval", "config", "force",
          "max-result-buffer", "max-retry-attempts", "peer-heartbeat-interval", "peer-election-timeout",
          "retry-interval", "snapshot", "v", "vv", "test.coverprofile", "test.outputdir");

  /// The one table.
  static final FlagTable SERVER = new FlagTable();

  private final Map<String, Flag> byName = new LinkedHashMap<>();
  private String group = "";
  private @Nullable Row open;

  private FlagTable() {
    member();
    clustering();
    security();
    auth();
    profilingMonitoring();
    logging();
    distributedTracing();
    features();
    unsafe();
    general();
    close();
    group = "";
    for (String name : IGNORED_NAMES) {
      add(name, IGNORED, "", "").yaml("");
    }
    close();
  }

  /// @return null when there is no such flag
  @Nullable Flag find(String name) {
    return byName.get(name);
  }

  /// All flags, hidden ones last.
  Collection<Flag> all() {
    return Collections.unmodifiableCollection(byName.values());
  }

  private void member() {
    group("Member");
    add("name", STRING, "default", "Name of this member, for people and for bootstrapping.");
    add("data-dir", STRING, "", "Directory that holds all of this member's data.").shown("${name}.etcd");
    add("wal-dir", STRING, "",
            "Directory of the write-ahead log, when it shall live on a disk of its own.")
        .shown("<data-dir>/member/wal");
    add("snapshot-count", UINT64, "10000", "Applied entries after which a raft snapshot is made.");
    add("snapshot-catchup-entries", UINT64, "5000",
            "Entries kept in memory behind a snapshot, for followers that lag.");
    add("heartbeat-interval", UINT, "100", "Milliseconds between heartbeats of a leader.");
    add("election-timeout", UINT, "1000",
            "Milliseconds without a leader after which an election starts; at least five heartbeats.");
    add("initial-election-tick-advance", BOOL, "true",
            "Start with the election clock nearly run down, to elect faster after a start.");
    add("listen-peer-urls", URLS, "http://localhost:2380", "Where to listen for other members.");
    add("listen-client-urls", URLS, "http://localhost:2379",
            "Where to listen for clients: gRPC, and HTTP unless --listen-client-http-urls is given.");
    add("listen-client-http-urls", URLS, "",
            "Where to listen for HTTP clients only; takes HTTP away from --listen-client-urls.");
    add("max-snapshots", UINT, "5", "Raft snapshot files to keep, 0 keeps all. Deprecated.");
    add("max-wals", UINT, "5", "Write-ahead log files to keep, 0 keeps all.");
    add("memory-mlock", BOOL, "false", "Lock the database's pages in memory.").pending();
    add("quota-backend-bytes", INT64, "0",
            "Size of the database at which writes stop with an alarm; negative for no limit.")
        .shown("0 (2 GiB)");
    add("backend-bbolt-freelist-type", STRING, "map",
            "How free pages of the database are tracked: map or array.")
        .pending();
    add("backend-batch-interval", DURATION, "0s",
            "Longest wait before writes are committed to the database file.")
        .shown("100ms");
    add("backend-batch-limit", INT, "0",
            "Writes after which they are committed to the database file.")
        .shown("10000");
    add("max-txn-ops", UINT, "128", "Operations a transaction may hold.");
    add("max-request-bytes", UINT, "1572864", "Largest request that is accepted.");
    add("max-concurrent-streams", UINT32, "4294967295", "Streams a client may have open on one connection.");
    add("grpc-keepalive-min-time", DURATION, "5s", "Shortest time between two pings of a client.");
    add("grpc-keepalive-interval", DURATION, "2h0m0s",
            "Time between two pings of the server on a quiet connection, 0 for none.");
    add("grpc-keepalive-timeout", DURATION, "20s", "Time to wait for the answer to a ping, 0 for ever.");
    add("socket-reuse-port", BOOL, "false", "Listen with SO_REUSEPORT.").yaml("socket-options.reuse-port").pending();
    add("socket-reuse-address", BOOL, "false", "Listen with SO_REUSEADDR.").yaml("socket-options.reuse-address")
        .pending();
    add("enable-grpc-gateway", BOOL, "true", "Serve the JSON gateway under /v3/.");
    add("raft-read-timeout", DURATION, "5s",
            "Read timeout of connections between members; at least 5s.")
        .yaml("").pending();
    add("raft-write-timeout", DURATION, "5s",
            "Write timeout of connections between members; at least 5s.")
        .yaml("").pending();
    add("feature-gates", GATES, "", "Features to turn on or off, as Name=true|false,...");
  }

  private void clustering() {
    group("Clustering");
    add("initial-advertise-peer-urls", URLS, "http://localhost:2380", "Peer URLs told to the other members.");
    add("initial-cluster", STRING, "default=http://localhost:2380",
            "The members to bootstrap with, as name=url,name=url.");
    add("initial-cluster-state", CLUSTER_STATE, "new",
            "new to bootstrap a cluster, existing to join one. Has no meaning once there is data.");
    add("initial-cluster-token", STRING, "etcd-cluster",
            "Salt of cluster and member ids, so that two clusters never mix.");
    add("advertise-client-urls", URLS, "http://localhost:2379", "Client URLs told to clients.");
    add("discovery-token", STRING, "",
            "Discovery: token of the cluster to bootstrap.")
        .yaml("discovery-config.token").pending();
    add("discovery-endpoints", LIST, "",
            "Discovery: gRPC endpoints of the discovery service.")
        .yaml("discovery-config.client.endpoints").pending();
    add("discovery-dial-timeout", DURATION, "2s",
            "Discovery: time to connect.")
        .yaml("discovery-config.client.dial-timeout").pending();
    add("discovery-request-timeout", DURATION, "5s",
            "Discovery: time for one request.")
        .yaml("discovery-config.client.request-timeout").pending();
    add("discovery-keepalive-time", DURATION, "2s",
            "Discovery: time between pings.")
        .yaml("discovery-config.client.keepalive-time").pending();
    add("discovery-keepalive-timeout", DURATION, "6s",
            "Discovery: time to wait for the answer to a ping.")
        .yaml("discovery-config.client.keepalive-timeout").pending();
    add("discovery-insecure-transport", BOOL, "true",
            "Discovery: connect without TLS.")
        .yaml("discovery-config.client.secure.insecure-transport").pending();
    add("discovery-insecure-skip-tls-verify", BOOL, "false",
            "Discovery: do not check the server's certificate. For tests.")
        .yaml("discovery-config.client.secure.insecure-skip-tls-verify").pending();
    add("discovery-cert", STRING, "",
            "Discovery: file of the client certificate.")
        .yaml("discovery-config.client.secure.cert").pending();
    add("discovery-key", STRING, "",
            "Discovery: file of the client key.")
        .yaml("discovery-config.client.secure.key").pending();
    add("discovery-cacert", STRING, "",
            "Discovery: file of the certificate authorities to trust.")
        .yaml("discovery-config.client.secure.cacert").pending();
    add("discovery-user", STRING, "",
            "Discovery: user, or user:password.")
        .yaml("discovery-config.client.auth.username").pending();
    add("discovery-password", STRING, "",
            "Discovery: password of the user.")
        .yaml("discovery-config.client.auth.password").pending();
    add("discovery-fallback", FALLBACK, "exit", "What to do when discovery fails; only exit is left.").yaml("");
    add("discovery-srv", STRING, "", "Domain whose DNS SRV records name the members to bootstrap with.").pending();
    add("discovery-srv-name", STRING, "", "Suffix of the SRV service names to ask for.").pending();
    add("strict-reconfig-check", BOOL, "true", "Refuse membership changes that would lose the quorum.");
    add("pre-vote", BOOL, "true",
            "Ask before an election whether it could be won, so that a returning member does not disturb.");
    add("auto-compaction-retention", STRING, "0",
            "History to keep: a duration, or a number of hours or revisions; 0 turns compaction off.");
    add("auto-compaction-mode", STRING, "periodic",
            "What the retention counts: periodic for time, revision for revisions.");
    add("v2-deprecation", V2_DEPRECATION, "write-only", "Phase of the v2 store's end. Deprecated, without effect.");
  }

  private void security() {
    group("Security");
    add("cert-file", STRING, "",
            "Certificate of the client listeners.")
        .yaml("client-transport-security.cert-file").pending();
    add("key-file", STRING, "", "Key of the client listeners.").yaml("client-transport-security.key-file").pending();
    add("client-cert-file", STRING, "",
            "Certificate to show as a client, when it is not --cert-file.")
        .yaml("client-transport-security.client-cert-file").pending();
    add("client-key-file", STRING, "",
            "Key to use as a client, when it is not --key-file.")
        .yaml("client-transport-security.client-key-file").pending();
    add("client-cert-auth", BOOL, "false",
            "Ask clients for certificates.")
        .yaml("client-transport-security.client-cert-auth").pending();
    add("client-crl-file", STRING, "", "Revocation list of client certificates.").yaml("").pending();
    add("client-cert-allowed-hostname", SET, "",
            "Host names of which client certificates must carry one.")
        .yaml("client-transport-security.allowed-hostname").pending();
    add("trusted-ca-file", STRING, "",
            "Certificate authorities of client certificates.")
        .yaml("client-transport-security.trusted-ca-file").pending();
    add("auto-tls", BOOL, "false",
            "Serve clients with a certificate of our own making.")
        .yaml("client-transport-security.auto-tls").pending();
    add("peer-cert-file", STRING, "",
            "Certificate of the peer listeners.")
        .yaml("peer-transport-security.cert-file").pending();
    add("peer-key-file", STRING, "", "Key of the peer listeners.").yaml("peer-transport-security.key-file").pending();
    add("peer-client-cert-file", STRING, "",
            "Certificate to show to other members, when it is not --peer-cert-file.")
        .yaml("peer-transport-security.client-cert-file").pending();
    add("peer-client-key-file", STRING, "",
            "Key to use towards other members, when it is not --peer-key-file.")
        .yaml("peer-transport-security.client-key-file").pending();
    add("peer-client-cert-auth", BOOL, "false",
            "Ask other members for certificates.")
        .yaml("peer-transport-security.client-cert-auth").pending();
    add("peer-trusted-ca-file", STRING, "",
            "Certificate authorities of the other members.")
        .yaml("peer-transport-security.trusted-ca-file").pending();
    add("peer-auto-tls", BOOL, "false",
            "Serve other members with a certificate of our own making.")
        .yaml("peer-transport-security.auto-tls").pending();
    add("self-signed-cert-validity", UINT, "1", "Years that certificates of our own making are valid.").pending();
    add("peer-crl-file", STRING, "", "Revocation list of peer certificates.").yaml("").pending();
    add("peer-cert-allowed-cn", SET, "",
            "Common names of which peer certificates must carry one.")
        .yaml("peer-transport-security.allowed-cn").pending();
    add("peer-cert-allowed-hostname", SET, "",
            "Host names of which peer certificates must carry one.")
        .yaml("peer-transport-security.allowed-hostname").pending();
    add("peer-skip-client-san-verification", BOOL, "false",
            "Do not check the addresses in peer certificates.")
        .yaml("peer-transport-security.skip-client-san-verification").pending();
    add("cipher-suites", LIST, "", "TLS cipher suites, by their Go names.").pending();
    add("cors", ORIGINS, "*", "Origins that browsers may call from; * for all.");
    add("host-whitelist", SET, "*", "Host names under which plain HTTP is answered; * for all.");
    add("tls-min-version", STRING, "TLS1.2", "Lowest TLS version: TLS1.2 or TLS1.3.").pending();
    add("tls-max-version", STRING, "", "Highest TLS version: TLS1.2, TLS1.3, or empty for the newest.").pending();
  }

  private void auth() {
    group("Auth");
    add("auth-token", STRING, "simple",
            "Kind of tokens, and its options: simple, or jwt,sign-method=...,pub-key=...")
        .pending();
    add("bcrypt-cost", UINT, "10", "Work that hashing one password takes, 4 to 31.").pending();
    add("auth-token-ttl", UINT, "300", "Seconds that a simple token lives without use.").pending();
  }

  private void profilingMonitoring() {
    group("Profiling and monitoring");
    add("enable-pprof", BOOL, "false", "Serve profiles under /debug/pprof/.").pending();
    add("metrics", STRING, "basic", "basic, or extensive to add the latency histograms of each RPC.");
    add("listen-metrics-urls", URLS, "", "Where else to serve /metrics and the health checks.");
  }

  private void logging() {
    group("Logging");
    add("logger", STRING, "zap", "Shape of the log; only zap is left.");
    add("log-outputs", SET, "default", "Where to log: default, stderr, stdout, systemd/journal or paths.");
    add("log-level", STRING, "info", "Least important lines to log: debug, info, warn, error, panic or fatal.");
    add("log-format", STRING, "json", "json or console.");
    add("enable-log-rotation", BOOL, "false", "Rotate the log; needs a single path in --log-outputs.");
    add("log-rotation-config-json", STRING, LOG_ROTATION,
            "How to rotate: megabytes, days and files to keep (0 keeps all), local time in names, gzip.");
    add("warning-unary-request-duration", DURATION, "300ms", "Requests that take longer are logged as warnings.")
        .pending();
  }

  private void distributedTracing() {
    group("Distributed tracing");
    add("enable-distributed-tracing", BOOL, "false", "Send traces to a collector.").pending();
    add("distributed-tracing-address", STRING, "localhost:4317", "Address of the collector.").pending();
    add("distributed-tracing-service-name", STRING, "etcd",
            "Name of the service in traces; the same on all members.")
        .pending();
    add("distributed-tracing-instance-id", STRING, "",
            "Name of this instance in traces; different on each member.")
        .pending();
    add("distributed-tracing-sampling-rate", INT, "0", "Traces to start per million requests.").pending();
  }

  private void features() {
    group("Features");
    add("corrupt-check-time", DURATION, "0s", "Time between comparisons of the members' data, 0 for none.").pending();
    add("compact-hash-check-time", DURATION, "1m0s",
            "Time between comparisons of the members' compacted data.")
        .pending();
    add("compaction-batch-limit", INT, "0", "Revisions removed in one step of a compaction.").shown("1000");
    add("compaction-sleep-interval", DURATION, "0s", "Pause between steps of a compaction.").shown("10ms");
    add("watch-progress-notify-interval", DURATION, "0s",
            "Time between progress notices on a quiet watch; at least 100ms.")
        .shown("10m");
    add("warning-apply-duration", DURATION, "100ms", "Applying that takes longer is logged as a warning.");
    add("bootstrap-defrag-threshold-megabytes", UINT, "0",
            "Defragment before serving if that frees at least this much, 0 for never.");
    add("max-learners", INT, "1", "Learners that a cluster may have.");
    add("downgrade-check-time", DURATION, "5s", "Time between checks whether a downgrade has finished.").pending();
  }

  private void unsafe() {
    group("Unsafe");
    add("force-new-cluster", BOOL, "false", "Forget all other members and keep the data. Unsafe.");
    add("unsafe-no-fsync", BOOL, "false",
            "Never wait for the disk. Unsafe: a crash loses acknowledged writes.");
  }

  private void general() {
    group("General");
    add("config-file", STRING, "",
            "Configuration file, YAML or JSON; every other flag and variable is then ignored."
                + "\nDurations in it are nanoseconds.")
        .yaml("");
    add("version", BOOL, "false", "Print the version and exit.").yaml("");
  }

  private void group(String title) {
    close();
    group = title;
  }

  private Row add(String name, FlagType type, String defaultText, String help) {
    close();
    Row row = new Row(name, type, defaultText, help);
    open = row;
    return row;
  }

  private void close() {
    Row row = open;
    if (row != null) {
      byName.put(row.name, row.flag(group));
      open = null;
    }
  }

  /// A flag while its line of the table is being read.
  private static final class Row {
    private final String name;
    private final FlagType type;
    private final String defaultText;
    private final String help;
    private String yamlKey;
    private String shownDefault;
    private boolean pending;

    Row(String name, FlagType type, String defaultText, String help) {
      this.name = name;
      this.type = type;
      this.defaultText = defaultText;
      this.help = help;
      this.yamlKey = name;
      this.shownDefault = defaultText;
    }

    Row yaml(String key) {
      yamlKey = key;
      return this;
    }

    Row shown(String value) {
      shownDefault = value;
      return this;
    }

    Row pending() {
      pending = true;
      return this;
    }

    Flag flag(String group) {
      return new Flag(name, yamlKey, type, defaultText, shownDefault, group, help, pending);
    }
  }
}
