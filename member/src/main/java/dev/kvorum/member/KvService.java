package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.env.World;
import dev.kvorum.state.KvReader;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestChecks;
import dev.kvorum.state.ResponseCodec;
import dev.kvorum.state.keys.KeyScan;
import dev.kvorum.state.keys.KvView;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The meaning of the KV RPCs: what is refused before it is proposed, what is read where, what an answer says.
///
/// Callable from any thread; never blocks. Small reads are served on the caller's own loop, larger ones on a worker,
/// and what is too large to be held in pieces ([LargeRange]). Whatever is held for an answer is charged to the caller's
/// account first.
public final class KvService {
  /// A range of more keys than this leaves the connection's loop.
  private static final long KEYS_INLINE_MAX = 2_000;

  /// A range of more keys than this is not even tried whole.
  private static final long KEYS_WHOLE_MAX = 16_384;

  /// Records of more bytes than this are not held for an answer that can be given in pieces.
  private static final long WHOLE_BYTES_MAX = 1L << 20;

  private final MemberConfig config;
  private final Proposals proposals;
  private final ReadIndex readIndex;
  private final QuotaGuard quota;
  private final Supplier<KvView> views;
  private final Headers headers;
  private final Upkeep upkeep;
  private final World world;
  private final Executor workers;
  private final RequestTimes times;
  private final LargeReads largeReads;

  KvService(
      World world,
      MemberConfig config,
      Proposals proposals,
      ReadIndex readIndex,
      QuotaGuard quota,
      Supplier<KvView> views,
      Headers headers,
      Upkeep upkeep,
      RequestTimes times,
      MemoryBudget memory) {
    this.config = config;
    this.proposals = proposals;
    this.readIndex = readIndex;
    this.quota = quota;
    this.views = views;
    this.headers = headers;
    this.upkeep = upkeep;
    this.world = world;
    this.workers = world.loops().workers();
    this.times = times;
    this.largeReads = new LargeReads(memory);
  }

  public void range(Request.Range request, Caller caller, Reply<Encoded> reply) {
    if (refused(RequestChecks.range(request), reply)) {
      return;
    }
    Reply<Encoded> timed = timed("Range", reply);
    if (request.serializable()) {
      serveRange(request, caller, timed);
    } else {
      readIndex.await(caller.home(), () -> serveRange(request, caller, timed), timed::refuse);
    }
  }

  private void serveRange(Request.Range request, Caller caller, Reply<Encoded> reply) {
    KvView view = views.get();
    long keys = keysAtMost(view, request);
    if (keys <= KEYS_INLINE_MAX) {
      try (view) {
        read(view, request, caller, reply);
      }
    } else if (keys <= KEYS_WHOLE_MAX || !inPieces(request, reply)) {
      onWorker(view, reply, () -> read(view, request, caller, reply));
    } else {
      view.close();
      readInPieces(request, reply);
    }
  }

  /// An upper bound of the keys to be read, if that is above [#KEYS_INLINE_MAX].
  private static long keysAtMost(KvView view, Request.Range request) {
    if (request.rangeEnd().isEmpty() || request.countOnly()) {
      return 1;
    }
    boolean cut =
        request.limit() > 0 && request.defaultOrder() && !request.filtersRevisions() && request.revision() <= 0;
    if (cut && request.limit() <= KEYS_INLINE_MAX) {
      return request.limit();
    }
    long keys = view.count(request.keys(), 0);
    return cut ? Math.min(keys, request.limit()) : keys;
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

  private void read(KvView view, Request.Range request, Caller caller, Reply<Encoded> reply) {
    long begun = times.now();
    try {
      Encoded answer = RangeResponses.encode(view, request, headers, WHOLE_BYTES_MAX);
      times.ranged(true, begun);
      if (answer != null) {
        complete(answer, caller, reply);
      } else if (inPieces(request, reply)) {
        readInPieces(request, reply);
      } else {
        onWorker(view.retain(), reply, () -> readWhole(view, request, caller, reply));
      }
    } catch (EtcdException refusal) {
      times.ranged(false, begun);
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(damaged(e));
    }
  }

  private static boolean inPieces(Request.Range request, Reply<Encoded> reply) {
    return reply.takesPieces() && KeyScan.suits(request.options());
  }

  private void readInPieces(Request.Range request, Reply<Encoded> reply) {
    largeReads.submit(new LargeRange(request, views, headers, workers, largeReads, reply));
  }

  /// A large range for a caller who wants it whole, or in an order that only all of it can be brought into: it is
  /// measured, and read if the budget holds it. On a worker.
  private void readWhole(KvView view, Request.Range request, Caller caller, Reply<Encoded> reply) {
    try {
      if (!caller.account().chargeAnswer(AnswerSize.ofWhole(view, request))) {
        throw MemoryBudget.refusal();
      }
      reply.complete(Objects.requireNonNull(RangeResponses.encode(view, request, headers, Long.MAX_VALUE)));
    } catch (EtcdException refusal) {
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(damaged(e));
    }
  }

  private static void complete(Encoded answer, Caller caller, Reply<Encoded> reply) {
    if (caller.account().chargeAnswer(answer.size())) {
      reply.complete(answer);
    } else {
      reply.refuse(MemoryBudget.refusal());
    }
  }

  /// Large ranges being answered in pieces; for metrics.
  public int largeReadsRunning() {
    return largeReads.running();
  }

  /// Large ranges that wait for their turn; for metrics.
  public int largeReadsWaiting() {
    return largeReads.waiting();
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
    if (!caller.account().chargeAnswer(RangeStreamer.heldBytes(config))) {
      reply.refuse(MemoryBudget.refusal());
      return;
    }
    Runnable serve = () -> new RangeStreamer(request, views, headers, config.maxRequestBytes(), world, reply).start();
    if (request.serializable()) {
      serve.run();
    } else {
      readIndex.await(caller.home(), serve, reply::refuse);
    }
  }

  public void put(Request.Put request, Caller caller, Reply<Encoded> reply) {
    if (admitted(request, reply) && !refused(RequestChecks.put(request), reply)) {
      propose(request, caller, reply);
    }
  }

  public void deleteRange(Request.DeleteRange request, Caller caller, Reply<Encoded> reply) {
    if (!refused(RequestChecks.deleteRange(request), reply)) {
      propose(request, caller, reply);
    }
  }

  public void txn(Request.Txn request, Caller caller, Reply<Encoded> reply) {
    if (!admitted(request, reply) || refused(RequestChecks.txn(request, config.maxTxnOps()), reply)) {
      return;
    }
    if (!request.readOnly()) {
      propose(request, caller, reply);
      return;
    }
    Reply<Encoded> timed = timed("ReadonlyTxn", reply);
    if (request.serializable()) {
      serveTxn(request, caller, timed);
    } else {
      readIndex.await(caller.home(), () -> serveTxn(request, caller, timed), timed::refuse);
    }
  }

  private void serveTxn(Request.Txn request, Caller caller, Reply<Encoded> reply) {
    KvView view = views.get();
    if (AnswerSize.keysAtMost(view, request) > KEYS_INLINE_MAX) {
      onWorker(view, reply, () -> readTxn(view, request, caller, reply));
    } else {
      try (view) {
        readTxn(view, request, caller, reply);
      }
    }
  }

  private void readTxn(KvView view, Request.Txn request, Caller caller, Reply<Encoded> reply) {
    try {
      if (charged(view, request, caller)) {
        reply.complete(ResponseCodec.encode(KvReader.txn(view, request), headers.responder()));
      } else {
        reply.refuse(MemoryBudget.refusal());
      }
    } catch (EtcdException refusal) {
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(damaged(e));
    }
  }

  /// Charges what the answer to a request that comes whole will take, as far as it can be told now.
  private static boolean charged(KvView view, Request request, Caller caller) throws IOException {
    long bytes = AnswerSize.of(view, request);
    return bytes == 0 || caller.account().chargeAnswer(bytes);
  }

  public void compact(CompactionRequest request, Caller caller, Reply<Encoded> reply) {
    Request.Compact compact = new Request.Compact(request.getRevision(), request.getPhysical());
    proposals.propose(
        compact,
        outcome -> {
          if (compact.physical() && outcome.response() != null) {
            upkeep.whenCompacted(() -> headers.answer(outcome, reply), reply::refuse);
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
      public boolean takesPieces() {
        return reply.takesPieces();
      }

      @Override
      public StreamReply<Encoded> inPieces(int sizeBytes) {
        times.answered(type, true, begun);
        return reply.inPieces(sizeBytes);
      }

      @Override
      public boolean isCancelled() {
        return reply.isCancelled();
      }

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

  private void propose(Request request, Caller caller, Reply<Encoded> reply) {
    if (!AnswerSize.mayBeLarge(request)) {
      proposals.propose(request, outcome -> headers.answer(outcome, reply), reply::refuse);
      return;
    }
    KvView view = views.get();
    if (AnswerSize.keysAtMost(view, request) > KEYS_INLINE_MAX) {
      onWorker(view, reply, () -> proposeCharged(view, request, caller, reply));
    } else {
      try (view) {
        proposeCharged(view, request, caller, reply);
      }
    }
  }

  /// A change that answers with key values is refused before it is proposed, for afterwards it has happened. What it
  /// will find then may differ from what is found now; its answer is of that size all the same, give or take.
  private void proposeCharged(KvView view, Request request, Caller caller, Reply<Encoded> reply) {
    try {
      if (charged(view, request, caller)) {
        proposals.propose(request, outcome -> headers.answer(outcome, reply), reply::refuse);
      } else {
        reply.refuse(MemoryBudget.refusal());
      }
    } catch (EtcdException refusal) {
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(damaged(e));
    }
  }
}
