package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.member.Caller;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.member.Reply;
import dev.kvorum.member.StreamReply;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// One request, one answer, completed whenever and from wherever, written on the connection's loop.
///
/// @param gate what is asked of every call before its handler
final class UnaryHandler<Q> implements ServerCallHandler<byte[], Object> {
  private final RequestParser<Q> parser;
  private final Gate gate;
  private final Unary<Q> method;

  /// What the call means.
  @FunctionalInterface
  interface Unary<Q> {
    void call(Q request, Caller caller, Reply<Encoded> reply);
  }

  UnaryHandler(RequestParser<Q> parser, Gate gate, Unary<Q> method) {
    this.parser = parser;
    this.gate = gate;
    this.method = method;
  }

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], Object> call, Metadata headers) {
    Caller caller = CallContext.caller(call, headers);
    UnaryReply reply = new UnaryReply(call, caller.home(), gate.started(call, headers), gate.stallNanos());
    CallAccount account = CallAccount.current();
    if (account != null) {
      account.whenOver(() -> reply.end(Statuses.of(MemoryBudget.refusal())));
    }
    if (!reply.ended) {
      call.request(2);
    }
    return new Listener(reply, caller, headers);
  }

  private final class Listener extends ServerCall.Listener<byte[]> {
    private final UnaryReply reply;
    private final Caller caller;
    private final Metadata headers;
    private byte @Nullable [] request;

    Listener(UnaryReply reply, Caller caller, Metadata headers) {
      this.reply = reply;
      this.caller = caller;
      this.headers = headers;
    }

    @Override
    public void onMessage(byte[] message) {
      reply.observer.received(message.length);
      if (reply.ended) {
        return;
      }
      if (request != null) {
        reply.end(Status.INTERNAL.withDescription("Too many requests"));
      }
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
      request = null;
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
      reply.cancelled();
    }
  }

  private static final class UnaryReply implements Reply<Encoded> {
    private final ServerCall<byte[], Object> call;
    private final Executor home;
    private final RpcObserver.CallObserver observer;
    private final long stallNanos;
    /// Written on the connection's loop.
    private volatile boolean ended;
    private volatile @Nullable PiecedReply pieces;

    UnaryReply(ServerCall<byte[], Object> call, Executor home, RpcObserver.CallObserver observer, long stallNanos) {
      this.call = call;
      this.home = home;
      this.observer = observer;
      this.stallNanos = stallNanos;
    }

    @Override
    public boolean takesPieces() {
      return true;
    }

    @Override
    public StreamReply<Encoded> inPieces(int sizeBytes) {
      PiecedReply begun =
          new PiecedReply(
              call,
              home,
              sizeBytes,
              stallNanos,
              (status, sentBytes) -> {
                if (sentBytes > 0) {
                  observer.sent(sentBytes);
                }
                end(status);
              });
      pieces = begun;
      if (ended) {
        Homeward.run(home, begun::cancelled);
      }
      return begun;
    }

    @Override
    public boolean isCancelled() {
      return ended;
    }

    /// On the connection's loop.
    void ready() {
      PiecedReply begun = pieces;
      if (begun != null) {
        begun.ready();
      }
    }

    @Override
    public void complete(Encoded answer) {
      Homeward.run(home, () -> answer(answer));
    }

    private void answer(Encoded answer) {
      if (ended) {
        return;
      }
      call.sendHeaders(new Metadata());
      call.sendMessage(answer);
      observer.sent(answer.size());
      end(Status.OK);
    }

    @Override
    public void refuse(EtcdException why) {
      Homeward.run(home, () -> end(Statuses.of(why)));
    }

    /// On the connection's loop.
    void end(Status status) {
      if (!ended) {
        ended = true;
        call.close(status, new Metadata());
        observer.ended(status.getCode().value());
      }
    }

    /// On the connection's loop: the client has gone, whatever is answered goes nowhere.
    void cancelled() {
      if (!ended) {
        ended = true;
        observer.ended(Status.Code.CANCELLED.value());
      }
      PiecedReply begun = pieces;
      if (begun != null) {
        begun.cancelled();
      }
    }
  }
}
