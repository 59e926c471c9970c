package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.member.StreamReply;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one answer of a call, in pieces, paced by the peer. A peer that takes nothing for long is given up: what it
/// holds, others wait for.
final class PiecedReply implements StreamReply<Encoded> {
  private static final Logger LOG = LoggerFactory.getLogger(PiecedReply.class);

  private final ServerCall<?, Object> call;
  private final Executor home;
  private final int size;
  private final long stallNanos;
  private final Ended ended;
  /// Pieces handed over and not written yet.
  private final AtomicInteger posted = new AtomicInteger();
  private volatile Runnable onReady = () -> {};
  private volatile boolean over;
  /// Made on the connection's loop with the first piece.
  private @Nullable PiecedMessage message;
  private boolean moved;

  /// Hears of the end, on the connection's loop.
  interface Ended {
    void end(Status status, int sentBytes);
  }

  PiecedReply(ServerCall<?, Object> call, Executor home, int size, long stallNanos, Ended ended) {
    this.call = call;
    this.home = home;
    this.size = size;
    this.stallNanos = stallNanos;
    this.ended = ended;
  }

  @Override
  public void next(Encoded piece) {
    posted.incrementAndGet();
    Homeward.run(home, () -> write(piece));
  }

  private void write(Encoded piece) {
    posted.decrementAndGet();
    if (over) {
      return;
    }
    PiecedMessage out = message;
    if (out == null) {
      out = new PiecedMessage(call, size);
      message = out;
      call.sendHeaders(new Metadata());
      call.setOnReadyThreshold(PiecedMessage.BUFFER_BYTES);
      call.sendMessage(out);
      watch();
    }
    moved = true;
    out.write(piece);
    if (call.isReady()) {
      onReady.run();
    }
  }

  private void watch() {
    if (home instanceof EventExecutor loop) {
      loop.schedule(this::check, stallNanos, TimeUnit.NANOSECONDS);
    }
  }

  private void check() {
    if (over) {
      return;
    }
    if (moved || call.isReady()) {
      moved = false;
      watch();
      return;
    }
    LOG.atWarn()
        .addKeyValue("response-size", size)
        .addKeyValue("waited", java.time.Duration.ofNanos(stallNanos))
        .log("gave up on a client that does not read the response it asked for");
    abort(Status.DEADLINE_EXCEEDED.withDescription("the client does not read its response"));
  }

  /// On the connection's loop: the peer reads.
  void ready() {
    moved = true;
    onReady.run();
  }

  /// On the connection's loop: the peer has gone.
  void cancelled() {
    over = true;
    onReady.run();
  }

  @Override
  public boolean isReady() {
    return !over && posted.get() == 0 && (message == null || call.isReady());
  }

  @Override
  public boolean isCancelled() {
    return over;
  }

  @Override
  public void onReady(Runnable callback) {
    onReady = callback;
  }

  @Override
  public void complete() {
    Homeward.run(
        home,
        () -> {
          PiecedMessage out = message;
          if (over) {
            return;
          }
          if (out == null || !out.isWhole()) {
            abort(Status.INTERNAL.withDescription("the response is not of the size announced"));
            return;
          }
          over = true;
          ended.end(Status.OK, size);
        });
  }

  @Override
  public void refuse(EtcdException why) {
    Homeward.run(home, () -> abort(Statuses.of(why)));
  }

  private void abort(Status why) {
    if (over) {
      return;
    }
    PiecedMessage out = message;
    if (out == null) {
      over = true;
      ended.end(why, 0);
    } else {
      out.cancel(why); // comes back as a cancellation
    }
  }
}
