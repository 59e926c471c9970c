package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.state.KvReader;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestChecks;
import dev.kvorum.state.ResponseCodec;
import dev.kvorum.state.keys.KvView;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The meaning of the KV RPCs: what is refused before it is proposed, what is read where, what an answer says.
///
/// Callable from any thread; never blocks. Small reads are served on the caller's own loop, large ones on a worker.
public final class KvService {
  /// A range of more keys than this leaves the connection's loop.
  private static final long KEYS_INLINE_MAX = 2_000;

  private final MemberConfig config;
  private final Proposals proposals;
  private final ReadIndex readIndex;
  private final QuotaGuard quota;
  private final Supplier<KvView> views;
  private final Headers headers;
  private final Upkeep upkeep;
  private final Executor workers;
  private final RequestTimes times;

  KvService(
      MemberConfig config,
      Proposals proposals,
      ReadIndex readIndex,
      QuotaGuard quota,
      Supplier<KvView> views,
      Headers headers,
      Upkeep upkeep,
      Executor workers,
      RequestTimes times) {
    this.config = config;
    this.proposals = proposals;
    this.readIndex = readIndex;
    this.quota = quota;
    this.views = views;
    this.headers = headers;
    this.upkeep = upkeep;
    this.workers = workers;
    this.times = times;
  }

  public void range(Request.Range request, Caller caller, Reply<Encoded> reply) {
    if (refused(RequestChecks.range(request), reply)) {
      return;
    }
    Reply<Encoded> timed = timed("Range", reply);
    if (request.serializable()) {
      serveRange(request, timed);
    } else {
      readIndex.await(caller.home(), () -> serveRange(request, timed), timed::refuse);
    }
  }

  private void serveRange(Request.Range request, Reply<Encoded> reply) {
    KvView view = views.get();
    if (isLarge(view, request)) {
      onWorker(view, reply, () -> read(view, request, reply));
    } else {
      try (view) {
        read(view, request, reply);
      }
    }
  }

  private static boolean isLarge(KvView view, Request.Range request) {
    if (request.rangeEnd().isEmpty() || request.countOnly()) {
      return false;
    }
    boolean cut = request.limit() > 0 && request.limit() <= KEYS_INLINE_MAX && request.defaultOrder();
    return !(cut && !request.filtersRevisions() && request.revision() <= 0)
        && view.count(request.keys(), 0) > KEYS_INLINE_MAX;
  }

  private void onWorker(KvView view, Reply<Encoded> reply, Runnable read) {
    try {
      workers.execute(
          () -> {
            try (view) {
              read.run();
            }
          });
    } catch (RejectedExecutionException full) {
      view.close();
      reply.refuse(EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
    }
  }

  private void read(KvView view, Request.Range request, Reply<Encoded> reply) {
    long begun = times.now();
    try {
      Encoded answer = RangeResponses.encode(view, request, headers);
      times.ranged(true, begun);
      reply.complete(answer);
    } catch (EtcdException refusal) {
      times.ranged(false, begun);
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(damaged(e));
    }
  }

  static EtcdException damaged(IOException e) {
    return EtcdException.of(GrpcCode.DATA_LOSS, String.valueOf(e.getMessage()));
  }

  public void rangeStream(Request.Range request, Caller caller, StreamReply<Encoded> reply) {
    EtcdError wrong = RequestChecks.rangeStream(request);
    if (wrong != null) {
      reply.refuse(EtcdException.of(wrong));
      return;
    }
    Runnable serve = () -> new RangeStreamer(request, views, headers, config.maxRequestBytes(), workers, reply).start();
    if (request.serializable()) {
      serve.run();
    } else {
      readIndex.await(caller.home(), serve, reply::refuse);
    }
  }

  public void put(Request.Put request, Caller caller, Reply<Encoded> reply) {
    if (admitted(request, reply) && !refused(RequestChecks.put(request), reply)) {
      propose(request, reply);
    }
  }

  public void deleteRange(Request.DeleteRange request, Caller caller, Reply<Encoded> reply) {
    if (!refused(RequestChecks.deleteRange(request), reply)) {
      propose(request, reply);
    }
  }

  public void txn(Request.Txn request, Caller caller, Reply<Encoded> reply) {
    if (!admitted(request, reply) || refused(RequestChecks.txn(request, config.maxTxnOps()), reply)) {
      return;
    }
    if (!request.readOnly()) {
      propose(request, reply);
      return;
    }
    Reply<Encoded> timed = timed("ReadonlyTxn", reply);
    if (request.serializable()) {
      serveTxn(request, timed);
    } else {
      readIndex.await(caller.home(), () -> serveTxn(request, timed), timed::refuse);
    }
  }

  private void serveTxn(Request.Txn request, Reply<Encoded> reply) {
    try (KvView view = views.get()) {
      reply.complete(ResponseCodec.encode(KvReader.txn(view, request), headers.responder()));
    } catch (EtcdException refusal) {
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(damaged(e));
    }
  }

  public void compact(CompactionRequest request, Caller caller, Reply<Encoded> reply) {
    Request.Compact compact = new Request.Compact(request.getRevision(), request.getPhysical());
    proposals.propose(
        compact,
        outcome -> {
          if (compact.physical() && outcome.response() != null) {
            upkeep.whenCompacted(() -> headers.answer(outcome, reply));
          } else {
            headers.answer(outcome, reply);
          }
        },
        reply::refuse);
  }

  private Reply<Encoded> timed(String type, Reply<Encoded> reply) {
    long begun = times.now();
    return new Reply<>() {
      @Override
      public void complete(Encoded answer) {
        times.answered(type, true, begun);
        reply.complete(answer);
      }

      @Override
      public void refuse(EtcdException why) {
        times.answered(type, false, begun);
        reply.refuse(why);
      }
    };
  }

  private boolean admitted(Request request, Reply<Encoded> reply) {
    if (quota.admits(request)) {
      return true;
    }
    quota.raiseAlarm(proposals, () -> reply.refuse(QuotaGuard.refusal()));
    return false;
  }

  private static boolean refused(@Nullable EtcdError wrong, Reply<Encoded> reply) {
    if (wrong == null) {
      return false;
    }
    reply.refuse(EtcdException.of(wrong));
    return true;
  }

  private void propose(Request request, Reply<Encoded> reply) {
    proposals.propose(request, outcome -> headers.answer(outcome, reply), reply::refuse);
  }
}
