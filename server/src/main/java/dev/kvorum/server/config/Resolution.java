package dev.kvorum.server.config;

import dev.kvorum.server.config.FeatureGates.Gate;
import dev.kvorum.server.config.ServerConfig.Auth;
import dev.kvorum.server.config.ServerConfig.Backend;
import dev.kvorum.server.config.ServerConfig.Bootstrap;
import dev.kvorum.server.config.ServerConfig.Checks;
import dev.kvorum.server.config.ServerConfig.Compaction;
import dev.kvorum.server.config.ServerConfig.Discovery;
import dev.kvorum.server.config.ServerConfig.Limits;
import dev.kvorum.server.config.ServerConfig.Listeners;
import dev.kvorum.server.config.ServerConfig.Monitoring;
import dev.kvorum.server.config.ServerConfig.Raft;
import dev.kvorum.server.config.ServerConfig.Security;
import dev.kvorum.server.config.ServerConfig.Tls;
import dev.kvorum.server.config.ServerConfig.Tracing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// Turns checked values into a [ServerConfig]: fills in what depends on other settings, and finds the mistakes that
/// etcd finds only on its way to a running server (and reports as `discovery failed`).
final class Resolution {
  private static final String DEFAULT_NAME = "default";
  private static final String DEFAULT_PEER_URL = "http://localhost:2380";
  private static final String DEFAULT_CLIENT_URL = "http://localhost:2379";
  private static final long MIN_RAFT_IO_NANOS = 5_000_000_000L;
  private static final long QUOTA_DEFAULT = 2_147_483_648L;
  private static final List<Gate> PENDING_GATES =
      List.of(Gate.InitialCorruptCheck, Gate.CompactHashCheck, Gate.SetMemberLocalAddr, Gate.StopGRPCServiceOnDefrag);
  private static final long HOUR_NANOS = 3_600_000_000_000L;

  private final ConfigValues values;
  private final List<Note> notes;

  private Resolution(ConfigValues values, List<Note> notes) {
    this.values = values;
    this.notes = notes;
  }

  /// @param notes receives what is to be logged
  /// @throws ValueException with the text that goes behind `discovery failed`
  static ServerConfig resolve(ConfigValues values, DefaultHost defaultHost, List<Note> notes) throws ValueException {
    Resolution resolution = new Resolution(values, notes);
    resolution.advertiseDefaultHost(defaultHost);
    resolution.nameInitialCluster();
    resolution.defaultDataDir();
    return resolution.config();
  }

  /// A server on every address whose advertised URLs nobody chose tells others the address of its default route.
  private void advertiseDefaultHost(DefaultHost defaultHost) {
    boolean peer = wildcard("listen-peer-urls") && untouched("initial-advertise-peer-urls", DEFAULT_PEER_URL);
    boolean client = wildcard("listen-client-urls") && untouched("advertise-client-urls", DEFAULT_CLIENT_URL);
    if (!peer && !client) {
      return;
    }
    String host = defaultHost.find();
    if (host.isEmpty()) {
      return;
    }
    notes.add(Note.info("detected default host for advertise", "host", host));
    if (peer) {
      values.rewrite("initial-advertise-peer-urls", atHost(host, values.urls("listen-peer-urls")));
    }
    if (client) {
      values.rewrite("advertise-client-urls", atHost(host, values.urls("listen-client-urls")));
    }
  }

  private boolean wildcard(String flag) {
    List<GoUrl> urls = values.urls(flag);
    return urls.size() == 1 && urls.getFirst().host().equals("0.0.0.0");
  }

  private boolean untouched(String flag, String byDefault) {
    return GoUrl.join(values.urls(flag)).equals(byDefault);
  }

  private static List<GoUrl> atHost(String host, List<GoUrl> urls) {
    GoUrl url = urls.getFirst();
    String address = host + ":" + url.port();
    return List.of(new GoUrl(url.scheme(), address, url.scheme() + "://" + address));
  }

  private void nameInitialCluster() {
    String name = values.text("name");
    boolean elsewhere =
        !values.text("discovery-srv").isEmpty() || !values.strings("discovery-endpoints").isEmpty();
    if (elsewhere && !values.isGiven("initial-cluster")) {
      values.rewrite("initial-cluster", "");
    } else if (!name.equals(DEFAULT_NAME)
        && values.text("initial-cluster").equals(DEFAULT_NAME + "=" + DEFAULT_PEER_URL)) {
      List<String> parts = new ArrayList<>();
      for (GoUrl url : values.urls("initial-advertise-peer-urls")) {
        parts.add((name.isEmpty() ? DEFAULT_NAME : name) + "=" + url);
      }
      values.rewrite("initial-cluster", String.join(",", parts));
    }
  }

  private void defaultDataDir() {
    if (values.text("data-dir").isEmpty()) {
      String dir = values.text("name") + ".etcd";
      values.rewrite("data-dir", dir);
      notes.add(Note.warn("'data-dir' was empty; using default", "data-dir", dir));
    }
  }

  private ServerConfig config() throws ValueException {
    Path dataDir = Path.of(values.text("data-dir"));
    String walDir = values.text("wal-dir");
    Compaction compaction = compaction();
    Listeners listeners = listeners();
    Security security = security(listeners);
    return new ServerConfig(
        values.text("name"),
        dataDir,
        walDir.isEmpty() ? dataDir.resolve("member").resolve("wal") : Path.of(walDir),
        walDir,
        listeners,
        bootstrap(),
        raft(),
        backend(),
        limits(),
        compaction,
        security,
        new Auth(values.text("auth-token"), values.number("bcrypt-cost"), orElse("auth-token-ttl", 300)),
        LogSettings.read(values),
        new Monitoring(
            values.bool("enable-pprof") || values.text("log-level").equals("debug"),
            values.text("metrics").equals("extensive")),
        tracing(),
        new Checks(
            values.number("corrupt-check-time"),
            values.number("compact-hash-check-time"),
            values.number("downgrade-check-time")),
        discovery(),
        FeatureGates.parse(values.text("feature-gates")),
        intOf("max-learners"),
        values.bool("unsafe-no-fsync"),
        pendingFlags());
  }

  private Listeners listeners() throws ValueException {
    List<GoUrl> client = values.urls("listen-client-urls");
    List<GoUrl> clientHttp = values.urls("listen-client-http-urls");
    for (GoUrl url : clientHttp) {
      if (client.stream().anyMatch(c -> c.address().equals(url.address()))) {
        throw new ValueException(
            "cannot bind both --listen-client-urls and --listen-client-http-urls on the same url " + url);
      }
    }
    return new Listeners(
        values.urls("listen-peer-urls"),
        client,
        clientHttp,
        values.urls("listen-metrics-urls"),
        values.urls("initial-advertise-peer-urls"),
        values.urls("advertise-client-urls"),
        values.bool("socket-reuse-port"),
        values.bool("socket-reuse-address"),
        values.bool("enable-grpc-gateway"));
  }

  private Bootstrap bootstrap() throws ValueException {
    String text = values.text("initial-cluster");
    return new Bootstrap(
        clusterOf(text),
        text,
        values.text("initial-cluster-state").equals("existing"),
        values.text("initial-cluster-token"),
        values.bool("force-new-cluster"),
        values.bool("strict-reconfig-check"));
  }

  private static Map<String, List<GoUrl>> clusterOf(String text) throws ValueException {
    Map<String, TreeSet<GoUrl>> urls = new TreeMap<>();
    if (!text.isEmpty()) {
      for (String entry : text.split(",", -1)) {
        int equals = entry.indexOf('=');
        String name = (equals < 0 ? entry : entry.substring(0, equals)).strip();
        try {
          urls.computeIfAbsent(name, none -> new TreeSet<>())
              .add(GoUrl.parse(equals < 0 ? "" : entry.substring(equals + 1)));
        } catch (ValueException e) {
          throw new ValueException("error setting up initial cluster: " + e.getMessage());
        }
      }
    }
    Map<String, List<GoUrl>> cluster = new TreeMap<>();
    urls.forEach((name, of) -> cluster.put(name, List.copyOf(of)));
    return Collections.unmodifiableMap(cluster);
  }

  private Raft raft() {
    return new Raft(
        values.number("heartbeat-interval"),
        values.number("election-timeout"),
        values.bool("initial-election-tick-advance"),
        values.bool("pre-vote"),
        orElse("snapshot-count", 10_000),
        orElse("snapshot-catchup-entries", 5_000),
        values.number("max-snapshots"),
        values.number("max-wals"),
        raised("raft-read-timeout"),
        raised("raft-write-timeout"));
  }

  private long raised(String flag) {
    return Math.max(values.number(flag), MIN_RAFT_IO_NANOS);
  }

  private Backend backend() {
    long quota = values.number("quota-backend-bytes");
    String freelist = values.text("backend-bbolt-freelist-type");
    return new Backend(
        quota == 0 ? QUOTA_DEFAULT : quota,
        quota == 0,
        freelist.equals("array") ? "array" : "map",
        orElse("backend-batch-interval", 100_000_000L),
        values.number("backend-batch-interval") != 0,
        orElse("backend-batch-limit", 10_000),
        values.bool("memory-mlock"),
        values.number("bootstrap-defrag-threshold-megabytes"));
  }

  private Limits limits() {
    long progress = orElse("watch-progress-notify-interval", 600_000_000_000L);
    if (progress < 100_000_000L) {
      progress = 100_000_000L;
      notes.add(
          Note.warn(
              "adjusting watch progress notify interval to minimum period",
              "min-watch-progress-notify-interval", "100ms"));
    }
    return new Limits(
        values.number("max-txn-ops"),
        values.number("max-request-bytes"),
        values.number("max-concurrent-streams"),
        values.number("grpc-keepalive-min-time"),
        values.number("grpc-keepalive-interval"),
        values.number("grpc-keepalive-timeout"),
        progress,
        values.number("warning-apply-duration"),
        orElse("warning-unary-request-duration", 300_000_000L));
  }

  private Compaction compaction() throws ValueException {
    boolean byRevision = values.text("auto-compaction-mode").equals("revision");
    return new Compaction(
        byRevision,
        retention(values.text("auto-compaction-retention"), byRevision),
        orElse("compaction-batch-limit", 1_000),
        orElse("compaction-sleep-interval", 10_000_000L));
  }

  /// A bare number counts revisions or hours; else it is a duration, which in revision mode etcd takes for so many
  /// revisions as it has nanoseconds.
  private static long retention(String text, boolean byRevision) throws ValueException {
    if (text.isEmpty()) {
      return 0;
    }
    if (text.matches("[+]?[0-9]{1,18}")) {
      long number = Long.parseLong(text);
      return byRevision ? number : Math.multiplyExact(number, HOUR_NANOS);
    }
    try {
      return GoDuration.parse(text);
    } catch (ValueException e) {
      throw new ValueException("error parsing CompactionRetention: " + e.getMessage());
    }
  }

  private Security security(Listeners listeners) throws ValueException {
    Tls client =
        tls("", "client-cert-file", "client-key-file", "client-crl-file", "client-cert-auth", List.of(),
            values.strings("client-cert-allowed-hostname"));
    Tls peer =
        tls("peer-", "peer-client-cert-file", "peer-client-key-file", "peer-crl-file", "peer-client-cert-auth",
            values.strings("peer-cert-allowed-cn"), values.strings("peer-cert-allowed-hostname"));
    TlsRules.check(listeners, client, peer, values.strings("cipher-suites"));
    if ((client.auto() || peer.auto()) && values.number("self-signed-cert-validity") == 0) {
      throw new ValueException("selfSignedCertValidity is invalid,it should be greater than 0");
    }
    TlsRules.warnOfUnused(listeners, client, peer, notes);
    return new Security(
        client,
        peer,
        values.bool("peer-skip-client-san-verification"),
        values.strings("cipher-suites"),
        values.text("tls-min-version"),
        values.text("tls-max-version"),
        values.number("self-signed-cert-validity"),
        values.strings("cors"),
        values.strings("host-whitelist"));
  }

  private Tls tls(
      String prefix,
      String clientCert,
      String clientKey,
      String crl,
      String certAuth,
      List<String> allowedNames,
      List<String> allowedHostnames) {
    return new Tls(
        values.text(prefix + "cert-file"),
        values.text(prefix + "key-file"),
        values.text(clientCert),
        values.text(clientKey),
        values.text(prefix + "trusted-ca-file"),
        values.text(crl),
        values.bool(certAuth),
        values.bool(prefix + "auto-tls"),
        allowedNames,
        allowedHostnames);
  }

  private Tracing tracing() {
    return new Tracing(
        values.bool("enable-distributed-tracing"),
        values.text("distributed-tracing-address"),
        values.text("distributed-tracing-service-name"),
        values.text("distributed-tracing-instance-id"),
        values.number("distributed-tracing-sampling-rate"));
  }

  private Discovery discovery() {
    return new Discovery(
        values.text("discovery-token"),
        values.strings("discovery-endpoints"),
        values.number("discovery-dial-timeout"),
        values.number("discovery-request-timeout"),
        values.number("discovery-keepalive-time"),
        values.number("discovery-keepalive-timeout"),
        values.bool("discovery-insecure-transport"),
        values.bool("discovery-insecure-skip-tls-verify"),
        values.text("discovery-cert"),
        values.text("discovery-key"),
        values.text("discovery-cacert"),
        values.text("discovery-user"),
        values.text("discovery-password"),
        values.text("discovery-srv"),
        values.text("discovery-srv-name"));
  }

  private List<String> pendingFlags() throws ValueException {
    List<String> pending = new ArrayList<>();
    for (Flag flag : FlagTable.SERVER.all()) {
      if (flag.pending() && values.isGiven(flag.name())) {
        pending.add(flag.name());
      }
    }
    FeatureGates gates = FeatureGates.parse(values.text("feature-gates"));
    for (Gate gate : PENDING_GATES) {
      if (gates.isOn(gate)) {
        pending.add("feature-gates=" + gate);
      }
    }
    return List.copyOf(pending);
  }

  private long orElse(String flag, long whenZero) {
    long value = values.number(flag);
    return value == 0 ? whenZero : value;
  }

  private int intOf(String flag) {
    return Math.clamp(values.number(flag), Integer.MIN_VALUE, Integer.MAX_VALUE);
  }
}
