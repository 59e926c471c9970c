package dev.kvorum.server;

import com.google.protobuf.ByteString;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.api.etcdserverpb.DeleteRangeRequest;
import dev.kvorum.api.etcdserverpb.KVGrpc;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrpc;
import dev.kvorum.api.etcdserverpb.LeaseRevokeRequest;
import dev.kvorum.api.etcdserverpb.MaintenanceGrpc;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.RequestOp;
import dev.kvorum.api.etcdserverpb.StatusRequest;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchGrpc;
import dev.kvorum.api.etcdserverpb.WatchRequest;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.env.RealWorld;
import dev.kvorum.server.config.Arguments;
import dev.kvorum.server.config.StartRequest;
import dev.kvorum.server.log.Logs;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Lives a short server's life, for a JVM that records which classes that takes (an AOT cache, see `bin/etcd`): starts
/// on free ports in a directory of its own, is asked some of everything, and stops.
final class Training {
  private static final int ROUNDS = 200;
  private static final String ANY_PORT = "http://127.0.0.1:0";
  private static final ByteString KEY = ByteString.copyFromUtf8("k");
  private static final ByteString VALUE = ByteString.copyFromUtf8("some value");

  private Training() {}

  public static void main(String[] none) throws Exception {
    Path directory = Files.createTempDirectory("kvorum-training");
    try {
      train(directory);
    } finally {
      RealWorld.create(1).disk().deleteTree(directory);
    }
    System.exit(0);
  }

  private static void train(Path directory) throws Exception {
    List<String> words =
        List.of(
            "--name=training", "--data-dir=" + directory.resolve("data"), "--listen-client-urls=" + ANY_PORT,
            "--advertise-client-urls=" + ANY_PORT, "--listen-peer-urls=" + ANY_PORT,
            "--initial-advertise-peer-urls=" + ANY_PORT);
    if (!(Arguments.read("etcd", words, Map.of(), () -> "") instanceof StartRequest.Serve serve)) {
      throw new IllegalStateException("cannot start by " + words);
    }
    Logs.start(serve.config().logging());
    Logs.write(serve.notes());
    EtcdServer server =
        EtcdServer.start(
            serve.config(),
            (what, cause) -> {
              throw new IllegalStateException(what, cause);
            });
    server.whenReady().get(30, TimeUnit.SECONDS);
    server.serveClients();
    InetSocketAddress address = server.clientAddresses().getFirst();
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(address).usePlaintext().directExecutor().build();
    ask(channel);
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    for (String path : List.of("/health", "/version", "/metrics", "/readyz")) {
      get(address, path);
    }
    server.stop();
  }

  private static void ask(ManagedChannel channel) throws InterruptedException {
    KVGrpc.KVBlockingStub kv = KVGrpc.newBlockingStub(channel);
    CountDownLatch watched = watch(channel);
    for (int i = 0; i < ROUNDS; i++) {
      ByteString key = KEY.concat(ByteString.copyFromUtf8(Integer.toString(i)));
      kv.put(PutRequest.newBuilder().setKey(key).setValue(VALUE).build());
      kv.range(RangeRequest.newBuilder().setKey(key).build());
      kv.txn(
          TxnRequest.newBuilder()
              .addSuccess(RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(key).setValue(VALUE)))
              .build());
    }
    kv.range(RangeRequest.newBuilder().setKey(KEY).setRangeEnd(ByteString.copyFromUtf8("l")).build());
    kv.deleteRange(DeleteRangeRequest.newBuilder().setKey(KEY).setRangeEnd(ByteString.copyFromUtf8("k5")).build());
    kv.compact(CompactionRequest.newBuilder().setRevision(ROUNDS).setPhysical(true).build());
    LeaseGrpc.LeaseBlockingStub leases = LeaseGrpc.newBlockingStub(channel);
    long lease = leases.leaseGrant(LeaseGrantRequest.newBuilder().setTTL(60).build()).getID();
    leases.leaseRevoke(LeaseRevokeRequest.newBuilder().setID(lease).build());
    MaintenanceGrpc.newBlockingStub(channel).status(StatusRequest.getDefaultInstance());
    watched.await(5, TimeUnit.SECONDS);
  }

  private static CountDownLatch watch(ManagedChannel channel) {
    CountDownLatch watched = new CountDownLatch(3);
    StreamObserver<WatchRequest> requests =
        WatchGrpc.newStub(channel)
            .watch(
                new StreamObserver<>() {
                  @Override
                  public void onNext(WatchResponse response) {
                    watched.countDown();
                  }

                  @Override
                  public void onError(Throwable ended) {
                    // the channel closes under it
                  }

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(
        WatchRequest.newBuilder().setCreateRequest(WatchCreateRequest.newBuilder().setKey(KEY)
            .setRangeEnd(ByteString.copyFromUtf8("l"))).build());
    return watched;
  }

  private static void get(InetSocketAddress address, String path) throws IOException {
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      String request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      try (InputStream answer = socket.getInputStream()) {
        answer.readAllBytes();
      }
    }
  }
}
