package dev.kvorum.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.etcdserverpb.MaintenanceGrpc;
import dev.kvorum.member.StreamReply;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.util.concurrent.DefaultEventExecutor;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A stream of answers over a connection that the test plays.
class ServerStreamHandlerTest {
  private static final long DEADLINE_SECONDS = 30;
  private static final int TOO_MANY = 1_000;

  private final DefaultEventExecutor loop = new DefaultEventExecutor();
  private final AtomicInteger written = new AtomicInteger();

  @AfterEach
  void stop() {
    loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
  }

  /// A peer that reads all at once: gRPC never has anything queued.
  private final class Call extends ServerCall<byte[], Encoded> {
    @Override
    public void request(int count) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(Encoded message) {
      written.incrementAndGet();
    }

    @Override
    public void close(Status status, Metadata trailers) {}

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<byte[], Encoded> getMethodDescriptor() {
      return RpcMethod.of(MaintenanceGrpc.getSnapshotMethod());
    }
  }

  /// gRPC knows of nothing before it is written, which a busy loop may come to late: what is on its way counts as well.
  @Test
  void aBusyLoopIsNotHandedMoreThanItsStreamMayHaveOnTheWay() throws Exception {
    AtomicReference<StreamReply<Encoded>> opened = new AtomicReference<>();
    Gate gate = new Gate(() -> true, RpcObserver.NONE, new OpenStreams(), 0);
    ServerStreamHandler<byte[]> handler =
        new ServerStreamHandler<>(
            new RequestParser<>(bytes -> bytes, 100), gate, (request, caller, reply) -> opened.set(reply));
    loop.submit(
            () -> {
              ServerCall.Listener<byte[]> listener = handler.startCall(new Call(), new Metadata());
              listener.onMessage(new byte[0]);
              listener.onHalfClose();
            })
        .get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    StreamReply<Encoded> reply = opened.get();
    Semaphore ready = new Semaphore(0);
    reply.onReady(ready::release);

    CountDownLatch busy = new CountDownLatch(1);
    loop.execute(() -> awaitUnchecked(busy));
    int handed = 0;
    while (reply.isReady() && handed < TOO_MANY) {
      reply.next(Encoded.EMPTY);
      handed++;
    }
    assertThat(handed).isBetween(1, 4);
    assertThat(written).hasValue(0);
    busy.countDown();
    assertThat(ready.tryAcquire(handed, DEADLINE_SECONDS, TimeUnit.SECONDS)).as("told that there is room").isTrue();
    assertThat(written).hasValue(handed);
    assertThat(reply.isReady()).isTrue();
  }

  private static void awaitUnchecked(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
