package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.kvorum.member.Caller;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.member.Reply;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;

/// A stream of lease renewals: one request at a time, answered in order. Owned by the connection's loop.
final class KeepAliveEndpoint implements ServerCallHandler<byte[], Encoded> {
  private final RequestParser<LeaseKeepAliveRequest> parser;
  private final Gate gate;
  private final UnaryHandler.Unary<LeaseKeepAliveRequest> renew;

  KeepAliveEndpoint(
      RequestParser<LeaseKeepAliveRequest> parser, Gate gate, UnaryHandler.Unary<LeaseKeepAliveRequest> renew) {
    this.parser = parser;
    this.gate = gate;
    this.renew = renew;
  }

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], Encoded> call, Metadata headers) {
    Stream stream = new Stream(call, CallContext.caller(call, headers), gate.started(call, headers));
    CallAccount account = CallAccount.current();
    if (account != null) {
      account.whenOver(() -> stream.endNow(Statuses.of(MemoryBudget.refusal())));
    }
    if (stream.ended) {
      return new ServerCall.Listener<>() {};
    }
    try {
      gate.check(headers);
      call.sendHeaders(new Metadata());
      gate.streams().opened(stream);
      call.request(1);
    } catch (EtcdException refusal) {
      stream.end(Statuses.of(refusal));
    }
    return stream;
  }

  private final class Stream extends ServerCall.Listener<byte[]> implements Reply<Encoded>, OpenStreams.Ending {
    private final ServerCall<byte[], Encoded> call;
    private final Caller caller;
    private final RpcObserver.CallObserver observer;
    private boolean renewing;
    private boolean halfClosed;
    private boolean waitsForRoom;
    private boolean ended;

    Stream(ServerCall<byte[], Encoded> call, Caller caller, RpcObserver.CallObserver observer) {
      this.call = call;
      this.caller = caller;
      this.observer = observer;
    }

    @Override
    public void onMessage(byte[] message) {
      observer.received(message.length);
      if (ended) {
        return;
      }
      renewing = true;
      try {
        renew.call(parser.request(message), caller, this);
      } catch (EtcdException refusal) {
        end(Statuses.of(refusal));
      }
    }

    @Override
    public void complete(Encoded answer) {
      Homeward.run(caller.home(), () -> answered(answer));
    }

    private void answered(Encoded answer) {
      if (ended) {
        return;
      }
      renewing = false;
      call.sendMessage(answer);
      observer.sent(answer.size());
      if (halfClosed) {
        end(Status.OK);
      } else if (call.isReady()) {
        call.request(1);
      } else {
        waitsForRoom = true; // a client that does not read is not read from
      }
    }

    @Override
    public void onReady() {
      if (waitsForRoom) {
        waitsForRoom = false;
        call.request(1);
      }
    }

    @Override
    public void refuse(EtcdException why) {
      end(Statuses.of(why));
    }

    @Override
    public void onHalfClose() {
      halfClosed = true;
      if (!renewing) {
        end(Status.OK);
      }
    }

    @Override
    public void onCancel() {
      gate.streams().closed(this);
      if (!ended) {
        ended = true;
        observer.ended(Status.Code.CANCELLED.value());
      }
    }

    @Override
    public void end(Status status) {
      Homeward.run(caller.home(), () -> endNow(status));
    }

    private void endNow(Status status) {
      if (!ended) {
        ended = true;
        gate.streams().closed(this);
        call.close(status, new Metadata());
        observer.ended(status.getCode().value());
      }
    }
  }
}
