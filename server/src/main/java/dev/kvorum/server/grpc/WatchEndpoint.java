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
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One watch stream of a client: requests to its [WatchSession], its outbox back, as fast as the peer reads.
///
/// A large response goes to the network piece by piece. A peer that takes nothing for long, while others wait for the
/// memory it holds, loses its connection: to a client that is "unavailable", upon which it connects again and has its
/// watches go on where they were.
///
/// Owned by the connection's loop, but for the hub's "there is something", which at most posts one drain.
final class WatchEndpoint implements ServerCallHandler<byte[], Encoded> {
  private static final Logger LOG = LoggerFactory.getLogger(WatchEndpoint.class);

  /// Up to there a response is handed to gRPC whole.
  private static final int WHOLE_BYTES_MAX = 1 << 20;

  private static final int PIECE_BYTES = 256 * 1024;

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
    /// The response being sent in pieces, and what is left of it.
    private @Nullable PiecedMessage pieced;
    private InputStream rest = InputStream.nullInputStream();
    /// Whether the peer is being watched, and has taken something since it was looked at last.
    private boolean watched;
    private boolean moved;
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
        moved = true;
        if (pieced != null) {
          sendPiece(pieced);
          continue;
        }
        Encoded next = session.poll();
        if (next == null) {
          break;
        }
        send(next);
        observer.sent(next.size());
      }
      watchPeer();
      readOn();
    }

    private void send(Encoded response) {
      if (response.size() <= WHOLE_BYTES_MAX) {
        call.sendMessage(response);
      } else {
        rest = response.stream();
        pieced = PiecedMessage.ofStream(call, response.size());
      }
    }

    private void sendPiece(PiecedMessage message) {
      try {
        message.write(Encoded.wrap(rest.readNBytes(PIECE_BYTES)));
      } catch (IOException e) {
        throw new UncheckedIOException("bytes in memory", e);
      }
      if (message.isWhole()) {
        message.end();
        pieced = null;
        rest = InputStream.nullInputStream();
      }
    }

    /// Looks after a while whether the peer has taken any of what it holds up.
    private void watchPeer() {
      if (!watched && !ended && !call.isReady() && home instanceof EventExecutor loop) {
        watched = true;
        moved = false;
        loop.schedule(this::lookAtPeer, gate.stallNanos(), TimeUnit.NANOSECONDS);
      }
    }

    private void lookAtPeer() {
      watched = false;
      if (!ended && !moved && !call.isReady() && hub.isShortOfMemory()) {
        LOG.atWarn()
            .addKeyValue("waited", Duration.ofNanos(gate.stallNanos()))
            .log("closed the connection of a watcher that does not read, while others wait for the memory it holds");
        Connection.close(call);
      } else {
        watchPeer();
      }
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
        while (pieced != null) {
          sendPiece(pieced); // the status comes behind a whole message, or clients took it for a broken one
        }
        call.close(status, new Metadata());
        observer.ended(status.getCode().value());
      }
    }
  }
}
