package dev.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What good input comes to; [BadInputTest] has the rest.
class ArgumentsTest {
  private static StartRequest read(Map<String, String> environment, String... words) {
    return Arguments.read("etcd", List.of(words), environment, () -> "192.0.2.7");
  }

  private static StartRequest.Serve serve(Map<String, String> environment, String... words) {
    StartRequest request = read(environment, words);
    assertThat(request).isInstanceOf(StartRequest.Serve.class);
    return (StartRequest.Serve) request;
  }

  private static ServerConfig config(String... words) {
    return serve(Map.of(), words).config();
  }

  private static List<String> messages(StartRequest.Serve request) {
    return request.notes().stream().map(Note::message).toList();
  }

  @Test
  void withoutAnythingTheDefaultsHold() {
    ServerConfig config = config();
    assertThat(config.name()).isEqualTo("default");
    assertThat(config.dataDir()).isEqualTo(Path.of("default.etcd"));
    assertThat(config.walDir()).isEqualTo(Path.of("default.etcd/member/wal"));
    assertThat(config.raft().electionTicks()).isEqualTo(10);
    assertThat(config.backend().quotaBytes()).isEqualTo(2147483648L);
    assertThat(config.backend().quotaIsDefault()).isTrue();
    assertThat(config.backend().batchIntervalNanos()).isEqualTo(100_000_000L);
    assertThat(config.backend().batchLimit()).isEqualTo(10_000);
    assertThat(config.compaction().batchLimit()).isEqualTo(1_000);
    assertThat(config.compaction().sleepNanos()).isEqualTo(10_000_000L);
    assertThat(config.limits().watchProgressNotifyNanos()).isEqualTo(600_000_000_000L);
    assertThat(config.limits().maxConcurrentStreams()).isEqualTo(4294967295L);
    assertThat(GoUrl.texts(config.listeners().client())).containsExactly("http://localhost:2379");
    assertThat(config.bootstrap().clusterText()).isEqualTo("default=http://localhost:2380");
    assertThat(config.pendingFlags()).isEmpty();
  }

  @Test
  void aValueFollowsEqualsOrIsTheNextWordAndDashesAreOneOrTwo() {
    ServerConfig config = config("-name=a", "--max-txn-ops", "7", "-max-wals", "3", "--data-dir=");
    assertThat(config.name()).isEqualTo("a");
    assertThat(config.limits().maxTxnOps()).isEqualTo(7);
    assertThat(config.raft().maxWals()).isEqualTo(3);
    assertThat(config.dataDir()).isEqualTo(Path.of("a.etcd"));
  }

  @Test
  void ofARepeatedFlagTheLastWins() {
    assertThat(config("--name=a", "--name", "b").name()).isEqualTo("b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "t", "T", "true", "TRUE", "True"})
  void aBoolIsTrueInSixSpellings(String word) {
    assertThat(config("--force-new-cluster=" + word).bootstrap().forceNewCluster()).isTrue();
  }

  @Test
  void aBoolAloneIsTrue() {
    assertThat(config("--force-new-cluster").bootstrap().forceNewCluster()).isTrue();
    assertThat(config("--pre-vote=F").raft().preVote()).isFalse();
  }

  @Test
  void numbersMayHavePrefixesAndUnderscores() {
    assertThat(config("--quota-backend-bytes=1_000").backend().quotaBytes()).isEqualTo(1000);
    assertThat(config("--heartbeat-interval=0x10", "--election-timeout=0b1111111").raft().electionMillis())
        .isEqualTo(127);
    assertThat(config("--max-wals=017").raft().maxWals()).isEqualTo(15);
  }

  @Test
  void wordsThatLongMeanNothingAreTakenWithAnyValue() {
    assertThat(config("--snapshot=5", "--vv", "--v=x", "--name=a").name()).isEqualTo("a");
  }

  @Test
  void urlsAreSortedOnceEachAndSpacesAroundThemDoNotMatter() {
    ServerConfig config =
        config(
            "--advertise-client-urls=http://b:2, http://a:1,http://b:2",
            "--listen-client-urls=http://127.0.0.1:2, HTTP://127.0.0.1:1");
    assertThat(GoUrl.texts(config.listeners().advertiseClient())).containsExactly("http://a:1", "http://b:2");
    assertThat(GoUrl.texts(config.listeners().client())).containsExactly("http://127.0.0.1:1", "http://127.0.0.1:2");
  }

  @Test
  void anEmptyUrlListKeepsTheDefault() {
    assertThat(GoUrl.texts(config("--advertise-client-urls=").listeners().advertiseClient()))
        .containsExactly("http://localhost:2379");
  }

  @Test
  void zeroStandsForTheDefaultWhereEtcdSaysSo() {
    ServerConfig config = config("--snapshot-count=0", "--snapshot-catchup-entries=0", "--auth-token-ttl=0");
    assertThat(config.raft().snapshotCount()).isEqualTo(10_000);
    assertThat(config.raft().snapshotCatchupEntries()).isEqualTo(5_000);
    assertThat(config.auth().tokenTtlSeconds()).isEqualTo(300);
  }

  @Test
  void retentionIsHoursRevisionsOrADuration() {
    assertThat(config("--auto-compaction-retention=5").compaction().retention()).isEqualTo(18_000_000_000_000L);
    assertThat(config("--auto-compaction-retention=90m").compaction().retention()).isEqualTo(5_400_000_000_000L);
    ServerConfig.Compaction revisions =
        config("--auto-compaction-mode=revision", "--auto-compaction-retention=5").compaction();
    assertThat(revisions.byRevision()).isTrue();
    assertThat(revisions.retention()).isEqualTo(5);
  }

  @Test
  void aNamedMemberIsTheWholeInitialClusterUnlessToldOtherwise() {
    ServerConfig config = config("--name=x", "--initial-advertise-peer-urls=http://127.0.0.1:1");
    assertThat(config.bootstrap().clusterText()).isEqualTo("x=http://127.0.0.1:1");
    assertThat(config("--name=x", "--initial-cluster=x=http://a:1,y=http://b:1").bootstrap().cluster().keySet())
        .containsExactly("x", "y");
  }

  @Test
  void aServerOnEveryAddressTellsOthersTheDefaultRoutes() {
    StartRequest.Serve request = serve(Map.of(), "--name=x", "--listen-peer-urls=http://0.0.0.0:2380");
    assertThat(GoUrl.texts(request.config().listeners().advertisePeer())).containsExactly("http://192.0.2.7:2380");
    assertThat(request.config().bootstrap().clusterText()).isEqualTo("x=http://192.0.2.7:2380");
    assertThat(messages(request)).contains("detected default host for advertise");
  }

  @Test
  void variablesAreUsedAndNamedInTheLog() {
    StartRequest.Serve request =
        serve(Map.of("ETCD_NAME", "x", "ETCD_MAX_TXN_OPS", "9", "ETCD_FOO", "1", "HOME", "/"), "--max-wals=2");
    assertThat(request.config().name()).isEqualTo("x");
    assertThat(request.config().limits().maxTxnOps()).isEqualTo(9);
    assertThat(request.notes())
        .contains(
            Note.info("recognized and used environment variable", "variable-name", "ETCD_NAME", "variable-value", "x"),
            Note.warn("unrecognized environment variable", "environment-variable", "ETCD_FOO=1"));
  }

  @Test
  void anEmptyVariableIsNone() {
    assertThat(serve(Map.of("ETCD_NAME", ""), "--name=y").config().name()).isEqualTo("y");
  }

  @Test
  void theVersionCannotBeAVariable() {
    assertThat(serve(Map.of("ETCD_VERSION", "true")).notes())
        .contains(Note.warn("cannot set special environment variable", "key", "ETCD_VERSION", "value", "true"));
  }

  @Test
  void deprecatedFlagsSaySo() {
    assertThat(messages(serve(Map.of(), "--max-snapshots=3", "--v2-deprecation=gone")))
        .contains(
            "--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8.",
            "--v2-deprecation is deprecated and scheduled for removal in v3.8. "
                + "The default value is enforced, ignoring user input.");
  }

  @Test
  void shortRaftTimeoutsAreRaised() {
    StartRequest.Serve request = serve(Map.of(), "--raft-read-timeout=1s", "--raft-write-timeout=7s");
    assertThat(request.config().raft().readTimeoutNanos()).isEqualTo(5_000_000_000L);
    assertThat(request.config().raft().writeTimeoutNanos()).isEqualTo(7_000_000_000L);
    assertThat(messages(request)).contains("raft-read-timeout increased to minimum value: 5s");
  }

  @Test
  void flagsWhoseFunctionComesLaterAreNamed() {
    assertThat(config("--auto-tls", "--memory-mlock=false").pendingFlags()).containsExactly("memory-mlock", "auto-tls");
  }

  @Test
  void helpAndVersionAreAskedForInManyWays() {
    assertThat(read(Map.of(), "-h")).isEqualTo(new StartRequest.Help());
    assertThat(read(Map.of(), "--help", "--nope")).isEqualTo(new StartRequest.Help());
    assertThat(read(Map.of(), "--version")).isEqualTo(new StartRequest.Version());
    assertThat(read(Map.of(), "--name=a", "-version=true")).isEqualTo(new StartRequest.Version());
  }

  @Test
  void otherServicesAreKnownByTheirFirstWord() {
    assertThat(read(Map.of(), "gateway", "start", "--endpoints=a"))
        .isEqualTo(new StartRequest.OtherService("gateway", List.of("start", "--endpoints=a")));
  }

  @Test
  void gatesMayBeNamedOrTakenByStage() {
    FeatureGates gates = config("--feature-gates=AllAlpha=true,PriorityRequest=false").gates();
    assertThat(gates.isOn(FeatureGates.Gate.InitialCorruptCheck)).isTrue();
    assertThat(gates.isOn(FeatureGates.Gate.PriorityRequest)).isFalse();
    assertThat(gates.isOn(FeatureGates.Gate.FastLeaseKeepAlive)).isTrue();
    assertThat(gates).hasToString("AllAlpha=true,PriorityRequest=false");
  }

  @Test
  void aConfigurationFileReplacesFlagsAndVariables(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("etcd.yaml");
    Files.writeString(
        file,
        """
        name: from-file
        HEARTBEAT-INTERVAL: 50
        grpc-keepalive-min-time: 7000000000
        pre-vote: no
        listen-client-urls: http://127.0.0.1:2,http://127.0.0.1:1
        log-outputs: [stdout]
        host-whitelist: b,a
        socket-options:
          reuse-port: true
        client-transport-security:
          cert-file: cert.pem
          allowed-hostname: [h1]
        discovery-config:
          client:
            dial-timeout: 3000000000
        quota-backend-bytes: 1e3
        wal-dir: ~
        no-such-key: {a: b}
        """);
    StartRequest.Serve request =
        serve(Map.of("ETCD_NAME", "from-env"), "--config-file", file.toString(), "--name=from-flag");
    ServerConfig config = request.config();
    assertThat(config.name()).isEqualTo("from-file");
    assertThat(config.raft().heartbeatMillis()).isEqualTo(50);
    assertThat(config.raft().preVote()).isFalse();
    assertThat(config.limits().keepaliveMinTimeNanos()).isEqualTo(7_000_000_000L);
    assertThat(GoUrl.texts(config.listeners().client())).containsExactly("http://127.0.0.1:1", "http://127.0.0.1:2");
    assertThat(config.listeners().reusePort()).isTrue();
    assertThat(config.logging().outputs()).containsExactly("stdout");
    assertThat(config.security().hostWhitelist()).containsExactly("a", "b");
    assertThat(config.security().client().certFile()).isEqualTo("cert.pem");
    assertThat(config.security().client().allowedHostnames()).containsExactly("h1");
    assertThat(config.discovery().dialTimeoutNanos()).isEqualTo(3_000_000_000L);
    assertThat(config.backend().quotaBytes()).isEqualTo(1000);
    assertThat(config.walDirGiven()).isEmpty();
    assertThat(config.bootstrap().clusterText()).isEqualTo("from-file=http://localhost:2380");
    assertThat(messages(request))
        .contains(
            "loaded server configuration, other configuration command line flags and environment variables "
                + "will be ignored if provided");
  }

  @Test
  void aConfigurationFileMayBeJsonAndNamedByAVariable(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("etcd.json");
    Files.writeString(file, "{\"name\": \"j\", \"max-txn-ops\": 5}");
    ServerConfig config = serve(Map.of("ETCD_CONFIG_FILE", file.toString()), "--name=flag").config();
    assertThat(config.name()).isEqualTo("j");
    assertThat(config.limits().maxTxnOps()).isEqualTo(5);
  }

  @Test
  void theFirstLineOfEveryStartNamesItsWords() {
    assertThat(serve(Map.of(), "--name=a").notes())
        .contains(Note.info("Running: ", "args", List.of("etcd", "--name=a")));
  }
}
