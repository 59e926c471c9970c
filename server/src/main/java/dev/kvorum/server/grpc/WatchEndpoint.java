package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.WatchRequest;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.member.watch.WatchHub;
import dev.kvorum.member.watch.WatchSession;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/// One watch stream of a client: requests to its [WatchSession], its outbox back, as fast as the peer reads.
///
/// Owned by the connection's loop, but for the hub's "there is something", which at most posts one drain.
final class WatchEndpoint implements ServerCallHandler<byte[], Encoded> {
  private final RequestParser<WatchRequest> parser;
  private final Gate gate;
  private final WatchHub hub;

  WatchEndpoint(RequestParser<WatchRequest> parser, Gate gate, WatchHub hub) {
    this.parser = parser;
    this.gate = gate;
    this.hub = hub;
  }

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], Encoded> call, Metadata headers) {
    Stream stream = new Stream(call, CallContext.caller(call, headers).home(), gate.started(call, headers));
    CallAccount account = CallAccount.current();
    if (account != null) {
      account.whenOver(() -> stream.endNow(Statuses.of(MemoryBudget.refusal())));
    }
    if (stream.ended) {
      return new ServerCall.Listener<>() {};
    }
    try {
      gate.check(headers);
    } catch (EtcdException refusal) {
      stream.end(Statuses.of(refusal));
      return new ServerCall.Listener<>() {};
    }
    call.sendHeaders(new Metadata());
    stream.session = hub.open(stream::somethingToSend);
    gate.streams().opened(stream);
    call.request(1);
    return stream;
  }

  private final class Stream extends ServerCall.Listener<byte[]> implements OpenStreams.Ending {
    private final ServerCall<byte[], Encoded> call;
    private final Executor home;
    private final RpcObserver.CallObserver observer;
    private final AtomicBoolean drainPosted = new AtomicBoolean();
    @SuppressWarnings("NullAway.Init") // set before the stream can be called
    private WatchSession session;
    private boolean ended;
    /// Whether a request has been asked for and has not come.
    private boolean reads = true;

    Stream(ServerCall<byte[], Encoded> call, Executor home, RpcObserver.CallObserver observer) {
      this.call = call;
      this.home = home;
      this.observer = observer;
    }

    @Override
    public void onMessage(byte[] message) {
      observer.received(message.length);
      WatchRequest request;
      try {
        request = parser.request(message);
      } catch (EtcdException refusal) {
        end(Statuses.of(refusal));
        return;
      }
      switch (request.getRequestUnionCase()) {
        case CREATE_REQUEST -> session.create(request.getCreateRequest());
        case CANCEL_REQUEST -> session.cancel(request.getCancelRequest().getWatchId());
        case PROGRESS_REQUEST -> session.progress();
        case REQUESTUNION_NOT_SET -> {} // etcd ignores what it does not know
      }
      reads = false;
      readOn();
    }

    /// Takes the next request once there is room for its answer.
    private void readOn() {
      if (!reads && !ended && session.takesRequests()) {
        reads = true;
        call.request(1);
      }
    }

    @Override
    public void onReady() {
      drain();
    }

    /// The client may close its half and still listen; the stream ends when it cancels.
    @Override
    public void onHalfClose() {}

    @Override
    public void onCancel() {
      session.close();
      gate.streams().closed(this);
      if (!ended) {
        ended = true;
        observer.ended(Status.Code.CANCELLED.value());
      }
    }

    void somethingToSend() {
      if (drainPosted.compareAndSet(false, true)) {
        home.execute(
            () -> {
              drainPosted.set(false);
              drain();
            });
      }
    }

    private void drain() {
      while (!ended && call.isReady()) {
        Encoded next = session.poll();
        if (next == null) {
          break;
        }
        call.sendMessage(next);
        observer.sent(next.size());
      }
      readOn();
    }

    @Override
    public void end(Status status) {
      Homeward.run(home, () -> endNow(status));
    }

    private void endNow(Status status) {
      if (!ended) {
        ended = true;
        gate.streams().closed(this);
        if (session != null) {
          session.close();
        }
        call.close(status, new Metadata());
        observer.ended(status.getCode().value());
      }
    }
  }
}
