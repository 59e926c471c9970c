package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.api.etcdserverpb.KVGrpc;
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
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SteadyPutsTest {
  private static final long WAIT_NANOS_MAX = 20_000_000_000L;

  private final Service service = new Service();
  private Server server;

  /// Answers puts, holds them back, or refuses them.
  private static final class Service extends KVGrpc.KVImplBase {
    private final List<StreamObserver<PutResponse>> held = new ArrayList<>();
    private boolean holding;
    private boolean refusing;

    synchronized void hold() {
      holding = true;
    }

    synchronized void refuse() {
      refusing = true;
    }

    synchronized void release() {
      holding = false;
      held.forEach(Service::answer);
      held.clear();
    }

    @Override
    public synchronized void put(PutRequest request, StreamObserver<PutResponse> answer) {
      if (refusing) {
        answer.onError(Status.RESOURCE_EXHAUSTED.withDescription("no").asException());
      } else if (holding) {
        held.add(answer);
      } else {
        answer(answer);
      }
    }

    private static void answer(StreamObserver<PutResponse> answer) {
      answer.onNext(PutResponse.getDefaultInstance());
      answer.onCompleted();
    }

    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> answer) {
      RangeResponse.Builder response = RangeResponse.newBuilder().setCount(10_000);
      for (int i = 0; i < 10_000; i++) {
        response.addKvs(KeyValue.newBuilder().setKey(Keys.REGISTRY.key(i)));
      }
      answer.onNext(response.build());
      answer.onCompleted();
    }
  }

  @BeforeEach
  void startServer() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(service)
            .build()
            .start();
  }

  @AfterEach
  void stopServer() {
    service.release();
    server.shutdownNow();
  }

  private SteadyPuts puts(int perSecond) throws IOException {
    Template put = Template.put(Keys.REGISTRY, 64);
    return new SteadyPuts(server.getPort(), 3, perSecond, put, random -> random.nextInt(100));
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + WAIT_NANOS_MAX;
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("the condition comes true").isLessThan(deadline);
      Thread.yield();
    }
  }

  @Test
  void aStallCountsAgainstEveryPutThatWasDueDuringIt() throws IOException {
    try (SteadyPuts puts = puts(2_000)) {
      Tally calm = puts.count();
      await(() -> calm.answered() >= 100);
      service.hold();
      Tally stalled = puts.count();
      await(() -> stalled.unanswered() > 0);
      long begun = System.nanoTime();
      await(() -> stalled.unanswered() >= 400);
      double heldMillis = (System.nanoTime() - begun) / 1e6;
      puts.count();
      service.release();
      await(() -> stalled.unanswered() == 0 && calm.unanswered() == 0);
      assertThat(stalled.answered()).isGreaterThanOrEqualTo(400);
      // The first one due has waited for all of it.
      assertThat(stalled.millisAt(100)).isGreaterThanOrEqualTo(heldMillis * 0.99);
      assertThat(puts.longestGapMillis()).isGreaterThanOrEqualTo(heldMillis * 0.99);
      assertThat(puts.failure()).isEmpty();
    }
  }

  @Test
  void refusalsAreNoAnswers() throws IOException {
    service.refuse();
    try (SteadyPuts puts = puts(5_000)) {
      Tally tally = puts.count();
      await(() -> tally.refused() >= 50);
      puts.count();
      await(() -> tally.unanswered() == 0);
      assertThat(tally.answered()).isZero();
      assertThat(tally.refusedByStatus()).containsOnlyKeys(8);
      assertThat(tally.firstError()).isEqualTo("status 8, no");
    }
  }

  @Test
  void aLostServerIsRefusalToo() throws IOException {
    try (SteadyPuts puts = puts(1_000)) {
      Tally tally = puts.count();
      await(() -> tally.answered() >= 10);
      server.shutdownNow();
      await(() -> tally.refused() >= 10);
      assertThat(tally.refusedByStatus()).containsOnlyKeys(14);
      assertThat(puts.failure()).isEmpty();
    }
  }

  @Test
  void aListIsCountedAndNotKept() throws IOException {
    long[] seen = {-1, 0};
    ListCall call =
        new ListCall() {
          @Override
          void onDone(int status, String text, long tookNanos) {
            seen[0] = status;
            seen[1] = tookNanos;
          }
        };
    try (LoadLoop loop = new LoadLoop(server.getPort())) {
      call.start(loop.connect(1 << 16), Template.all(Keys.REGISTRY, range -> range));
      loop.run(WAIT_NANOS_MAX, () -> seen[0] >= 0);
    }
    assertThat(seen[0]).isZero();
    assertThat(call.keys()).isEqualTo(10_000);
    assertThat(call.bytes()).isGreaterThan(340_000);
  }

  @Test
  void aBatchMakesEachCallOnce() throws IOException {
    Template put = Template.put(Keys.REGISTRY, 64);
    int[] made = {0};
    Batch.run(
        server.getPort(),
        3,
        7,
        1_000,
        20,
        index -> {
          assertThat(index).isEqualTo(made[0]++);
          put.setKey(index);
          return put;
        });
    assertThat(made[0]).isEqualTo(1_000);
  }
}
