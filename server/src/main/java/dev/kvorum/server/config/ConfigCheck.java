package dev.kvorum.server.config;

import dev.kvorum.server.config.FeatureGates.Gate;
import java.util.List;
import java.util.regex.Pattern;

/// The checks that say `failed to verify flags`, in etcd's order: of several mistakes it is always the same one that is
/// reported.
final class ConfigCheck {
  static final String ADVERTISE_REQUIRED =
      "--advertise-client-urls is required when --listen-client-urls is set explicitly";

  private static final long MAX_ELECTION_MILLIS = 50_000;
  private static final Pattern IPV4 =
      Pattern.compile("((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(?!$)|$)){4}");
  private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%.+)?");
  private static final List<String> TLS_VERSIONS = List.of("TLS1.2", "TLS1.3");

  private final ConfigValues values;
  private final boolean fromFile;
  private final List<Note> notes;

  private ConfigCheck(ConfigValues values, boolean fromFile, List<Note> notes) {
    this.values = values;
    this.fromFile = fromFile;
    this.notes = notes;
  }

  /// @param fromFile true when the values come from a configuration file
  /// @param notes receives warnings
  /// @throws ValueException with etcd's text for the first mistake
  static void run(ConfigValues values, boolean fromFile, List<Note> notes) throws ValueException {
    ConfigCheck check = new ConfigCheck(values, fromFile, notes);
    LogSettings.check(values);
    check.urls();
    check.discovery();
    check.timing();
    check.advertised();
    check.compactionMode();
    check.tracing();
    check.gates();
    check.name();
    check.tlsVersions();
  }

  private void urls() throws ValueException {
    bindable("listen-peer-urls");
    bindable("listen-client-urls");
    bindable("listen-client-http-urls");
    if (values.urls("listen-client-http-urls").isEmpty()) {
      notes.add(
          Note.warn("Running http and grpc server on single port. This is not recommended for production."));
    }
    bindable("listen-metrics-urls");
    reachable("initial-advertise-peer-urls", "must be \"host:port\"");
    reachable(
        "advertise-client-urls",
        "must be in the format \"host:port\", \"unix:/path/to/socket\" or \"unixs:/path/to/socket\"");
  }

  private void bindable(String flag) throws ValueException {
    for (GoUrl url : values.urls(flag)) {
      if (!url.isUnix() && !url.host().equals("localhost") && !isAddress(url.host())) {
        throw new ValueException("expected IP in URL for binding (" + url + ")");
      }
    }
  }

  static boolean isAddress(String host) {
    return IPV4.matcher(host).matches() || IPV6.matcher(host).matches();
  }

  private void reachable(String flag, String rule) throws ValueException {
    for (GoUrl url : values.urls(flag)) {
      if (!url.isUnix() && url.host().isEmpty()) {
        throw new ValueException(
            "--" + flag + " " + GoText.quote(GoUrl.join(values.urls(flag))) + " " + rule
                + " (unexpected empty host (" + url + "))");
      }
    }
  }

  private void discovery() throws ValueException {
    boolean endpoints = !values.strings("discovery-endpoints").isEmpty();
    int ways = values.isGiven("initial-cluster") ? 1 : 0;
    ways += values.text("discovery-srv").isEmpty() ? 0 : 1;
    ways += endpoints ? 1 : 0;
    if (ways > 1) {
      throw new ValueException(
          "multiple discovery or bootstrap flags are set. "
              + "Choose one of \"initial-cluster\", \"discovery-endpoints\" or \"discovery-srv\"");
    }
    if (values.text("discovery-token").isEmpty() == endpoints) {
      throw new ValueException("both --discovery-token and --discovery-endpoints must be set");
    }
    for (String endpoint : values.strings("discovery-endpoints")) {
      if (endpoint.isBlank()) {
        throw new ValueException("--discovery-endpoints must not contain empty endpoints");
      }
    }
  }

  private void timing() throws ValueException {
    long heartbeat = values.number("heartbeat-interval");
    long election = values.number("election-timeout");
    if (heartbeat == 0) {
      throw new ValueException("--heartbeat-interval must be >0 (set to 0ms)");
    }
    if (election == 0) {
      throw new ValueException("--election-timeout must be >0 (set to 0ms)");
    }
    if (Long.compareUnsigned(Long.divideUnsigned(election, 5), heartbeat) < 0) {
      throw new ValueException(
          "--election-timeout[" + Long.toUnsignedString(election)
              + "ms] should be at least as 5 times as --heartbeat-interval[" + Long.toUnsignedString(heartbeat)
              + "ms]");
    }
    if (Long.compareUnsigned(election, MAX_ELECTION_MILLIS) > 0) {
      throw new ValueException(
          "--election-timeout[" + Long.toUnsignedString(election) + "ms] is too long, and should be set less than "
              + MAX_ELECTION_MILLIS + "ms");
    }
  }

  private void advertised() throws ValueException {
    if (!fromFile && values.isGiven("listen-client-urls") && !values.isGiven("advertise-client-urls")) {
      throw new ValueException(ADVERTISE_REQUIRED);
    }
  }

  private void compactionMode() throws ValueException {
    String mode = values.text("auto-compaction-mode");
    if (mode.isEmpty()) {
      throw new ValueException("undefined auto-compaction-mode");
    }
    if (!mode.equals("periodic") && !mode.equals("revision")) {
      throw new ValueException("unknown auto-compaction-mode " + GoText.quote(mode));
    }
  }

  private void tracing() throws ValueException {
    if (!values.bool("enable-distributed-tracing")) {
      return;
    }
    long rate = values.number("distributed-tracing-sampling-rate");
    String why =
        rate < 0
            ? "tracing sampling rate must be positive"
            : rate > 1_000_000 ? "tracing sampling rate must be less than 1000000" : "";
    if (!why.isEmpty()) {
      throw new ValueException("distributed tracing configurition is not valid: (" + why + ")");
    }
  }

  private void gates() throws ValueException {
    FeatureGates gates = FeatureGates.parse(values.text("feature-gates"));
    boolean checkpoint = gates.isOn(Gate.LeaseCheckpoint);
    boolean persist = gates.isOn(Gate.LeaseCheckpointPersist);
    if (checkpoint && !persist) {
      notes.add(
          Note.warn(
              "Detected that checkpointing is enabled without persistence. "
                  + "Consider enabling feature gate LeaseCheckpointPersist"));
    }
    if (persist && !checkpoint) {
      throw new ValueException(
          "enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint");
    }
    long compactHash = values.number("compact-hash-check-time");
    if (compactHash <= 0) {
      throw new ValueException(
          "--compact-hash-check-time must be >0 (set to " + GoDuration.format(compactHash) + ")");
    }
  }

  private void name() {
    if (values.text("name").equals("default")) {
      notes.add(
          Note.warn(
              "it isn't recommended to use default name, please set a value for --name. "
                  + "Note that etcd might run into issue when multiple members have the same default name",
              "name", "default"));
    }
  }

  private void tlsVersions() throws ValueException {
    String min = values.text("tls-min-version");
    String max = values.text("tls-max-version");
    for (String version : List.of(min, max)) {
      if (!version.isEmpty() && !TLS_VERSIONS.contains(version)) {
        throw new ValueException(
            "unexpected TLS version " + GoText.quote(version) + " (must be one of: TLS1.2, TLS1.3)");
      }
    }
    if (!max.isEmpty() && min.compareTo(max) > 0) {
      throw new ValueException("min version (" + min + ") is greater than max version (" + max + ")");
    }
    if (min.equals("TLS1.3") && !values.strings("cipher-suites").isEmpty()) {
      throw new ValueException("cipher suites cannot be configured when only TLS1.3 is enabled");
    }
  }
}
