package dev.kvorum.server;

import dev.kvorum.api.etcdserverpb.AuthGrpc;
import dev.kvorum.api.etcdserverpb.ClusterGrpc;
import dev.kvorum.api.etcdserverpb.KVGrpc;
import dev.kvorum.api.etcdserverpb.LeaseGrpc;
import dev.kvorum.api.etcdserverpb.MaintenanceGrpc;
import dev.kvorum.api.etcdserverpb.WatchGrpc;
import dev.kvorum.env.RealWorld;
import dev.kvorum.member.Member;
import dev.kvorum.member.metrics.EtcdMetrics;
import dev.kvorum.server.config.FeatureGates.Gate;
import dev.kvorum.server.config.GoUrl;
import dev.kvorum.server.config.ServerConfig;
import dev.kvorum.server.config.ServerConfig.Limits;
import dev.kvorum.server.failpoint.FailpointServer;
import dev.kvorum.server.grpc.ClientListener;
import dev.kvorum.server.grpc.GrpcFront;
import dev.kvorum.server.http.HttpFront;
import dev.kvorum.server.http.HttpRoutes;
import dev.kvorum.server.metrics.GrpcMetrics;
import dev.kvorum.server.metrics.ProcessMetrics;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One running member with its sockets.
///
/// [#start] puts it together in the order operators know from the log: directories, sockets, the member. Once the
/// cluster knows the member ([#whenReady]), [#serveClients] opens the doors. [#stop] goes the other way, from any of
/// these states.
public final class EtcdServer {
  private static final Logger LOG = LoggerFactory.getLogger(EtcdServer.class);
  private static final long CONNECTIONS_GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /// How long a large answer waits for its client to read on, before others take its place.
  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(30);

  private static final long LOOPS_GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_000);

  private final ServerConfig config;
  private final long stallNanos;
  private final EtcdMetrics metrics = new EtcdMetrics();
  private final MemberObserver observer;
  private final Member member;
  private final HttpFront http;
  private final List<HttpListener> peers = new ArrayList<>();
  private final List<HttpListener> plain = new ArrayList<>();
  private final List<ClientListener> clients = new ArrayList<>();
  private final List<InetSocketAddress> clientAddresses = new ArrayList<>();

  /// Hears that a running server cannot go on. Called once, on a loop of the member.
  @FunctionalInterface
  public interface OnHalt {
    void halted(String what, Throwable cause);
  }

  private EtcdServer(ServerConfig config, OnHalt onHalt, ProcessMemory memory, long stallNanos) throws IOException {
    this.config = config;
    this.stallNanos = stallNanos;
    this.observer = new MemberObserver(metrics, onHalt);
    this.member =
        Member.start(
            RealWorld.create(Runtime.getRuntime().availableProcessors(), FailpointServer.ofEnvironment()),
            MemberSettings.of(config, memory.budget()),
            observer);
    this.http = httpFront();
    StartReport.logQuota(config.backend());
  }

  /// Starts a member. It elects a leader, or finds one, by itself.
  ///
  /// @throws IOException in etcd's words when it cannot: address in use, directory unusable, data that does not fit
  public static EtcdServer start(ServerConfig config, OnHalt onHalt) throws IOException {
    return start(config, onHalt, ProcessMemory.ofThisProcess(), STALL_NANOS);
  }

  /// @param stallNanos how long a large answer waits for a client that does not read
  static EtcdServer start(ServerConfig config, OnHalt onHalt, ProcessMemory memory, long stallNanos)
      throws IOException {
    DataDirectory directory = DataDirectory.inspect(config);
    LOG.atInfo().addKeyValue("listen-peer-urls", GoUrl.texts(config.listeners().peer()))
        .log("configuring peer listeners");
    checkFree(config.listeners().peer());
    LOG.atInfo().addKeyValue("listen-client-urls", GoUrl.texts(config.listeners().client()))
        .log("configuring client listeners");
    checkFree(config.listeners().client());
    checkFree(config.listeners().clientHttp());
    checkFree(config.listeners().metrics());
    StartReport.log(config, directory.initialized());
    memory.log();
    if (!directory.initialized()) {
      BootstrapRules.check(config);
    }
    directory.makeWritable();
    EtcdServer server = new EtcdServer(config, onHalt, memory, stallNanos);
    try {
      server.describe();
      server.servePeers();
      server.serveMetrics();
      return server;
    } catch (IOException | RuntimeException e) {
      server.stop();
      throw e;
    }
  }

  /// Fails early, before anything is written, when a socket cannot be had.
  private static void checkFree(List<GoUrl> urls) throws IOException {
    for (GoUrl url : urls) {
      InetSocketAddress address = addressOf(url);
      try (ServerSocket socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(address);
      } catch (IOException e) {
        throw FailureText.cannotListen(address, e);
      }
    }
  }

  private static InetSocketAddress addressOf(GoUrl url) throws IOException {
    if (url.isUnix()) {
      throw new IOException("unix sockets are not available in this release of Kvorum: " + url);
    }
    if (url.isSecure()) {
      throw new IOException("TLS is not available in this release of Kvorum: " + url);
    }
    try {
      int port = url.port().isEmpty() ? 0 : Integer.parseInt(url.port());
      return new InetSocketAddress(url.host(), port);
    } catch (IllegalArgumentException e) {
      throw new IOException("listen tcp: address " + url.port() + ": invalid port", e);
    }
  }

  private void describe() {
    MemberObserver.readLive(metrics, member);
    metrics.quotaBackendBytes.set(config.backend().quotaBytes());
    metrics.serverVersion.labels(BuildInfo.ETCD_VERSION).set(1);
    metrics.goVersion.labels(BuildInfo.runtime()).set(1);
    String id = Long.toHexString(member.memberId());
    metrics.serverId.labels(id).set(1);
    metrics.knownPeers.labels(id, id).set(1);
    for (Gate gate : Gate.values()) {
      metrics.featureEnabled.labels(gate.name(), gate.stage()).set(config.gates().isOn(gate));
    }
    ProcessMetrics.addTo(metrics.registry());
    MemoryMetrics.addTo(metrics.registry(), member);
    LOG.atInfo()
        .addKeyValue("local-member-id", id)
        .addKeyValue("initial-advertise-peer-urls", GoUrl.texts(config.listeners().advertisePeer()))
        .addKeyValue("listen-peer-urls", GoUrl.texts(config.listeners().peer()))
        .addKeyValue("advertise-client-urls", GoUrl.texts(config.listeners().advertiseClient()))
        .addKeyValue("listen-client-urls", GoUrl.texts(config.listeners().client()))
        .addKeyValue("listen-metrics-urls", GoUrl.texts(config.listeners().metrics()))
        .log("now serving peer/client/metrics");
  }

  private void servePeers() throws IOException {
    PeerPort port = new PeerPort(member);
    for (GoUrl url : config.listeners().peer()) {
      HttpListener listener = HttpListener.bind(addressOf(url), port::addTo);
      peers.add(listener);
      LOG.atInfo().addKeyValue("address", FailureText.textOf(listener.address())).log("serving peer traffic");
    }
  }

  private HttpFront httpFront() {
    MetricsSource source = new MetricsSource(metrics, member);
    HttpRoutes routes = new HttpRoutes(member, (accept, encoding) -> source.answer());
    return new HttpFront(routes, member.memory(), config.security().hostWhitelist(), config.security().cors());
  }

  private void serveMetrics() throws IOException {
    for (GoUrl url : config.listeners().metrics()) {
      plain.add(HttpListener.bind(addressOf(url), http::addTo));
      LOG.atInfo().addKeyValue("address", url.text()).log("serving metrics");
    }
  }

  /// Completes when the cluster knows this member and clients can be served; with the reason when the member halted
  /// first.
  public CompletableFuture<Void> whenReady() {
    return observer.whenReady();
  }

  /// Opens the client listeners.
  ///
  /// @throws IOException in etcd's words when an address cannot be bound
  public void serveClients() throws IOException {
    int maxRequestBytes = Math.clamp(config.limits().maxRequestBytes(), 0, Integer.MAX_VALUE / 4);
    GrpcFront front = new GrpcFront(member, maxRequestBytes, grpcMetrics(), stallNanos);
    boolean split = !config.listeners().clientHttp().isEmpty();
    List<Runnable> lines = new ArrayList<>();
    for (GoUrl url : config.listeners().client()) {
      InetSocketAddress address = addressOf(url);
      try {
        ClientListener listener =
            ClientListener.bind(
                address,
                front,
                split ? pipeline -> pipeline.channel().close() : http::addTo,
                limits(maxRequestBytes),
                Runtime.getRuntime().availableProcessors());
        clients.add(listener);
        InetSocketAddress bound = new InetSocketAddress(address.getAddress(), listener.port());
        clientAddresses.add(bound);
        lines.add(() -> servingLine(split ? "grpc" : "grpc+http", bound));
      } catch (IOException e) {
        throw FailureText.cannotListen(address, e);
      }
    }
    for (GoUrl url : config.listeners().clientHttp()) {
      HttpListener listener = HttpListener.bind(addressOf(url), http::addTo);
      plain.add(listener);
      lines.add(() -> servingLine("http", listener.address()));
    }
    for (Runnable line : lines) {
      LOG.info("ready to serve client requests");
      line.run();
    }
  }

  private static void servingLine(String traffic, InetSocketAddress address) {
    LOG.atInfo()
        .addKeyValue("traffic", traffic)
        .addKeyValue("address", FailureText.textOf(address))
        .log("serving client traffic insecurely; this is strongly discouraged!");
  }

  private GrpcMetrics grpcMetrics() {
    GrpcMetrics counts = new GrpcMetrics(metrics, config.monitoring().extensive(), System::nanoTime);
    counts.announce(KVGrpc.getServiceDescriptor());
    counts.announce(WatchGrpc.getServiceDescriptor());
    counts.announce(LeaseGrpc.getServiceDescriptor());
    counts.announce(ClusterGrpc.getServiceDescriptor());
    counts.announce(AuthGrpc.getServiceDescriptor());
    counts.announce(MaintenanceGrpc.getServiceDescriptor());
    counts.announce(HealthGrpc.getServiceDescriptor());
    return counts;
  }

  private ClientListener.Limits limits(int maxRequestBytes) {
    Limits limits = config.limits();
    return new ClientListener.Limits(
        maxRequestBytes,
        limits.maxConcurrentStreams(),
        limits.keepaliveMinTimeNanos(),
        limits.keepaliveIntervalNanos(),
        limits.keepaliveTimeoutNanos());
  }

  /// Where clients are served, in the order of `--listen-client-urls`; empty before [#serveClients].
  public List<InetSocketAddress> clientAddresses() {
    return List.copyOf(clientAddresses);
  }

  /// The member, for who runs the server in its own process.
  public Member member() {
    return member;
  }

  /// Refuses new work, lets what is under way end, closes sockets and files. Takes little more than a second at most.
  public void stop() {
    closingLine("closing etcd server");
    try {
      for (ClientListener listener : clients) {
        listener.stop(CONNECTIONS_GRACE_NANOS);
      }
      plain.forEach(HttpListener::stop);
      member.stop(LOOPS_GRACE_NANOS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException e) {
      LOG.atWarn().setCause(e).log("closing was not clean");
    }
    for (HttpListener listener : peers) {
      String address = FailureText.textOf(listener.address());
      LOG.atInfo().addKeyValue("address", address).log("stopping serving peer traffic");
      listener.stop();
      LOG.atInfo().addKeyValue("address", address).log("stopped serving peer traffic");
    }
    closingLine("closed etcd server");
  }

  private void closingLine(String message) {
    LOG.atInfo()
        .addKeyValue("name", config.name())
        .addKeyValue("data-dir", config.dataDir().toString())
        .addKeyValue("advertise-peer-urls", GoUrl.texts(config.listeners().advertisePeer()))
        .addKeyValue("advertise-client-urls", GoUrl.texts(config.listeners().advertiseClient()))
        .log(message);
  }
}
