package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.etcdserverpb.KVGrpc;
import dev.kvorum.api.etcdserverpb.LeaseGrpc;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.PutResponse;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.mvccpb.KeyValue;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The lean client against a complete gRPC server, whose answers it must count and read right.
class Http2ConnectionTest {
  private static final long WAIT_NANOS_MAX = 20_000_000_000L;
  private static final String REFUSED_KEY = "no such key";

  private final ConcurrentSkipListMap<String, ByteString> store = new ConcurrentSkipListMap<>();
  private final AtomicLong puts = new AtomicLong();
  private Server server;
  private LoadLoop loop;

  @BeforeEach
  void startServer() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .maxInboundMessageSize(64 << 20)
            .addService(new Keys())
            .addService(new Leases())
            .build()
            .start();
    loop = new LoadLoop(server.getPort());
  }

  @AfterEach
  void stopServer() throws IOException {
    loop.close();
    server.shutdownNow();
  }

  /// Enough of etcd for a client to talk to.
  private final class Keys extends KVGrpc.KVImplBase {
    @Override
    public void put(PutRequest request, StreamObserver<PutResponse> answer) {
      store.put(request.getKey().toStringUtf8(), request.getValue());
      puts.incrementAndGet();
      answer.onNext(PutResponse.getDefaultInstance());
      answer.onCompleted();
    }

    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> answer) {
      ByteString value = store.get(request.getKey().toStringUtf8());
      if (value == null) {
        answer.onError(Status.INVALID_ARGUMENT.withDescription(EtcdError.KEY_NOT_FOUND.message()).asException());
        return;
      }
      KeyValue kv = KeyValue.newBuilder().setKey(request.getKey()).setValue(value).build();
      answer.onNext(RangeResponse.newBuilder().addKvs(kv).setCount(1).build());
      answer.onCompleted();
    }
  }

  private static final class Leases extends LeaseGrpc.LeaseImplBase {
    @Override
    public StreamObserver<LeaseKeepAliveRequest> leaseKeepAlive(StreamObserver<LeaseKeepAliveResponse> answer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(LeaseKeepAliveRequest request) {
          answer.onNext(LeaseKeepAliveResponse.newBuilder().setID(request.getID()).setTTL(7).build());
        }

        @Override
        public void onError(Throwable error) {
          // The client went away, as it does at the end.
        }

        @Override
        public void onCompleted() {
          answer.onCompleted();
        }
      };
    }
  }

  @Test
  void aClosedLoopCountsEveryAnswerOnce() throws IOException {
    Meter meter = new Meter();
    meter.start();
    Template put = Template.put(256);
    int[] sent = {0};
    for (int i = 0; i < 4; i++) {
      Http2Connection connection = loop.connect();
      for (int j = 0; j < 8; j++) {
        new UnaryCall(
                connection,
                () -> {
                  put.setKey(sent[0]++ % 100);
                  return put;
                },
                meter)
            .start();
      }
    }
    assertThat(loop.run(WAIT_NANOS_MAX, () -> meter.count() >= 5_000)).isTrue();
    assertThat(meter.errors()).isZero();
    assertThat(sent[0]).isEqualTo((int) meter.count() + 32);
    assertThat(puts.get()).isBetween(meter.count(), (long) sent[0]);
    assertThat(store).hasSize(100).containsKey(Template.key(99).toStringUtf8());
  }

  @Test
  void refusalsAreCountedWithTheirCodeAndText() throws IOException {
    Meter meter = new Meter();
    meter.start();
    Template range = Template.range(false);
    new UnaryCall(loop.connect(), () -> range, meter).start();
    assertThat(loop.run(WAIT_NANOS_MAX, () -> meter.errors() >= 10)).isTrue();
    assertThat(meter.count()).isZero();
    assertThat(meter.firstError()).isEqualTo("status 3, etcdserver: key not found");
  }

  @Test
  void answersAndRefusalsInTurnsAreNotMixedUp() throws IOException {
    Http2Connection connection = loop.connect();
    put(connection, "here", ByteString.copyFromUtf8("value"));
    for (int i = 0; i < 50; i++) {
      assertThat(range(connection, "here").getKvs(0).getValue().toStringUtf8()).isEqualTo("value");
      assertThatThrownBy(() -> range(connection, REFUSED_KEY))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining(EtcdError.KEY_NOT_FOUND.message());
      assertThatThrownBy(() -> loop.call(connection, "/etcdserverpb.KV/Compact", new byte[0]))
          .hasMessageContaining("status 12");
    }
  }

  @Test
  void messagesBeyondEveryFlowControlWindowArriveWhole() throws IOException {
    Http2Connection connection = loop.connect();
    byte[] large = new byte[20 << 20];
    new Random(1).nextBytes(large);
    put(connection, "large", ByteString.copyFrom(large));
    for (int i = 0; i < 3; i++) {
      assertThat(range(connection, "large").getKvs(0).getValue().toByteArray()).isEqualTo(large);
    }
  }

  @Test
  void aStreamIsRenewedOverAndOver() throws IOException {
    Meter meter = new Meter();
    meter.start();
    for (int i = 0; i < 3; i++) {
      new KeepAliveCall(loop.connect(), 100 + i, meter).start();
    }
    assertThat(loop.run(WAIT_NANOS_MAX, () -> meter.count() >= 3_000)).isTrue();
    assertThat(meter.errors()).isZero();
  }

  @Test
  void aServerThatGoesAwayIsAnError() throws IOException {
    Http2Connection connection = loop.connect();
    put(connection, "key", ByteString.copyFromUtf8("value"));
    server.shutdownNow();
    assertThatThrownBy(() -> loop.run(WAIT_NANOS_MAX)).isInstanceOf(IOException.class);
  }

  private void put(Http2Connection connection, String key, ByteString value) throws IOException {
    PutRequest request = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(value).build();
    loop.call(connection, Template.PUT, request.toByteArray());
  }

  private RangeResponse range(Http2Connection connection, String key) throws IOException {
    RangeRequest request = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build();
    return RangeResponse.parseFrom(loop.call(connection, Template.RANGE, request.toByteArray()));
  }
}
