package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.member.Caller;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.member.StreamReply;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One request, many answers, paced by the peer.
final class ServerStreamHandler<Q> implements ServerCallHandler<byte[], Encoded> {
  private final RequestParser<Q> parser;
  private final Gate gate;
  private final Streaming<Q> method;

  @FunctionalInterface
  interface Streaming<Q> {
    void call(Q request, Caller caller, StreamReply<Encoded> reply);
  }

  ServerStreamHandler(RequestParser<Q> parser, Gate gate, Streaming<Q> method) {
    this.parser = parser;
    this.gate = gate;
    this.method = method;
  }

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], Encoded> call, Metadata headers) {
    Caller caller = CallContext.caller(call, headers);
    PacedReply reply = new PacedReply(call, caller.home(), gate.started(call, headers), gate.streams());
    CallAccount account = CallAccount.current();
    if (account != null) {
      account.whenOver(() -> reply.endNow(Statuses.of(MemoryBudget.refusal())));
    }
    if (!reply.ended) {
      gate.streams().opened(reply);
      call.request(2);
    }
    return new ServerCall.Listener<>() {
      private byte @Nullable [] request;

      @Override
      public void onMessage(byte[] message) {
        request = message;
      }

      @Override
      public void onHalfClose() {
        byte[] bytes = request;
        if (reply.ended) {
          return;
        }
        if (bytes == null) {
          reply.end(Status.INTERNAL.withDescription("Half-closed without a request"));
          return;
        }
        try {
          gate.check(headers);
          method.call(parser.request(bytes), caller, reply);
        } catch (EtcdException refusal) {
          reply.refuse(refusal);
        }
      }

      @Override
      public void onReady() {
        reply.ready();
      }

      @Override
      public void onCancel() {
        reply.cancel();
      }
    };
  }

  /// Flow-controlled by gRPC's own `isReady`, which answers from any thread.
  /// So many may be on their way at once: the loop need not wait for the producer.
  private static final int POSTED_MAX = 2;

  private static final class PacedReply implements StreamReply<Encoded>, OpenStreams.Ending {
    private final ServerCall<byte[], Encoded> call;
    private final Executor home;
    private final RpcObserver.CallObserver observer;
    private final OpenStreams streams;
    /// Answers handed over and not written yet: they count as much as what gRPC has queued.
    private final AtomicInteger posted = new AtomicInteger();
    private volatile Runnable onReady = () -> {};
    private volatile boolean cancelled;
    private boolean begun;
    private boolean ended;

    PacedReply(
        ServerCall<byte[], Encoded> call,
        Executor home,
        RpcObserver.CallObserver observer,
        OpenStreams streams) {
      this.call = call;
      this.home = home;
      this.observer = observer;
      this.streams = streams;
    }

    @Override
    public void next(Encoded answer) {
      posted.incrementAndGet();
      Homeward.run(
          home,
          () -> {
            posted.decrementAndGet();
            if (ended || cancelled) {
              return;
            }
            if (!begun) {
              begun = true;
              call.sendHeaders(new Metadata());
            }
            call.sendMessage(answer);
            observer.sent(answer.size());
            if (call.isReady()) {
              onReady.run();
            }
          });
    }

    @Override
    public boolean isReady() {
      return !cancelled && posted.get() < POSTED_MAX && call.isReady();
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }

    @Override
    public void onReady(Runnable callback) {
      onReady = callback;
    }

    void ready() {
      onReady.run();
    }

    void cancel() {
      cancelled = true;
      streams.closed(this);
      if (!ended) {
        ended = true;
        observer.ended(Status.Code.CANCELLED.value());
      }
      onReady.run();
    }

    @Override
    public void complete() {
      end(Status.OK);
    }

    @Override
    public void refuse(EtcdException why) {
      end(Statuses.of(why));
    }

    @Override
    public void end(Status status) {
      Homeward.run(home, () -> endNow(status));
    }

    private void endNow(Status status) {
      if (!ended) {
        ended = true;
        streams.closed(this);
        if (!begun && status.isOk()) {
          call.sendHeaders(new Metadata());
        }
        call.close(status, new Metadata());
        observer.ended(status.getCode().value());
      }
    }
  }
}
