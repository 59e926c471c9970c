package dev.kvorum.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.kvorum.api.etcdserverpb.KVGrpc;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.server.config.Arguments;
import dev.kvorum.server.config.ServerConfig;
import dev.kvorum.server.config.StartRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whole servers in this process, on real sockets and a real disk.
class EtcdServerTest {
  private static final String ANY_PORT = "http://127.0.0.1:0";
  private static final ByteString KEY = ByteString.copyFromUtf8("key");

  @TempDir Path directory;

  private ServerConfig config(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "--name=m", "--data-dir=" + directory.resolve("data"), "--listen-client-urls=" + ANY_PORT,
                "--advertise-client-urls=" + ANY_PORT, "--listen-peer-urls=" + ANY_PORT,
                "--initial-advertise-peer-urls=" + ANY_PORT));
    words.addAll(List.of(more));
    StartRequest request = Arguments.read("etcd", words, Map.of(), () -> "");
    assertThat(request).isInstanceOf(StartRequest.Serve.class);
    return ((StartRequest.Serve) request).config();
  }

  private static EtcdServer start(ServerConfig config) throws Exception {
    EtcdServer server = EtcdServer.start(config, (what, cause) -> {});
    server.whenReady().get(30, TimeUnit.SECONDS);
    server.serveClients();
    return server;
  }

  @Test
  void whatWasPutIsThereAfterARestart() throws Exception {
    EtcdServer first = start(config());
    withKv(first, kv -> kv.put(PutRequest.newBuilder().setKey(KEY).setValue(KEY).build()));
    first.stop();
    EtcdServer second = start(config());
    try {
      withKv(
          second,
          kv -> assertThat(kv.range(RangeRequest.newBuilder().setKey(KEY).build()).getKvs(0).getValue()).isEqualTo(KEY));
    } finally {
      second.stop();
    }
  }

  @Test
  void theClientPortSpeaksHttpToo() throws Exception {
    EtcdServer server = start(config());
    try {
      InetSocketAddress address = server.clientAddresses().getFirst();
      assertThat(get(address, "/health")).isEqualTo("{\"health\":\"true\",\"reason\":\"\"}");
      assertThat(get(address, "/metrics"))
          .contains(
              "etcd_server_has_leader 1\n", "etcd_server_version{server_version=\"3.7.1\"} 1\n",
              "etcd_server_feature_enabled{name=\"FastLeaseKeepAlive\",stage=\"BETA\"} 1\n");
    } finally {
      server.stop();
    }
  }

  @Test
  void aTakenPortIsNamedAndNothingIsWritten() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String url = "http://127.0.0.1:" + taken.getLocalPort();
      ServerConfig config = config("--listen-client-urls=" + url);
      assertThatThrownBy(() -> EtcdServer.start(config, (what, cause) -> {}))
          .isInstanceOf(IOException.class)
          .hasMessage("listen tcp 127.0.0.1:" + taken.getLocalPort() + ": bind: address already in use");
    }
    assertThat(directory.resolve("data")).doesNotExist();
  }

  @Test
  void anUnusableDirectoryIsNamed() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "");
    assertThatThrownBy(() -> EtcdServer.start(config("--data-dir=" + file), (what, cause) -> {}))
        .hasMessage("readdirent " + file + ": not a directory");
    assertThatThrownBy(() -> EtcdServer.start(config("--data-dir=" + file + "/x"), (what, cause) -> {}))
        .hasMessageStartingWith("cannot access data directory: mkdir " + file + "/x: ");
    Path data = Files.createDirectories(directory.resolve("there/.touch")).getParent();
    assertThatThrownBy(() -> EtcdServer.start(config("--data-dir=" + data), (what, cause) -> {}))
        .hasMessage("cannot access data directory: open " + data + "/.touch: is a directory");
  }

  @Test
  void whatThisReleaseCannotDoIsRefusedAndNotPretended() {
    for (String url : List.of("unix://localhost:1", "https://127.0.0.1:0")) {
      ServerConfig config = config("--listen-client-urls=" + url, "--cert-file=c", "--key-file=k");
      assertThatThrownBy(() -> EtcdServer.start(config, (what, cause) -> {}))
          .hasMessageContaining("not available in this release");
    }
  }

  private interface KvUse {
    void with(KVGrpc.KVBlockingStub kv);
  }

  private static void withKv(EtcdServer server, KvUse use) throws InterruptedException {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(server.clientAddresses().getFirst()).usePlaintext().build();
    try {
      use.with(KVGrpc.newBlockingStub(channel));
    } finally {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
  }

  private static String get(InetSocketAddress address, String path) throws Exception {
    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      URI uri = URI.create("http://127.0.0.1:" + address.getPort() + path);
      return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString()).body();
    }
  }
}
