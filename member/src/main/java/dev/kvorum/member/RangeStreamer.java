package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.RangeStreamResponse;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.World;
import dev.kvorum.state.Request;
import dev.kvorum.state.keys.KeyRange;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.keys.RangeOptions;
import dev.kvorum.state.keys.RangeResult;
import dev.kvorum.state.keys.StoredKv;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/// One RangeStream: a range in chunks, at the revision of the first, as fast as the peer reads.
///
/// The first chunk holds 10 keys; the next twice as many as the last if that was small, half as many if it was large.
/// Header, count and more come with the last chunk only. No view is held between chunks: a compaction meanwhile ends
/// the stream, as in etcd. Steps run on workers, never two at a time.
final class RangeStreamer {
  private static final long FIRST_CHUNK_KEYS = 10;

  private final Request.Range request;
  private final Supplier<KvView> views;
  private final Headers headers;
  private final int targetBytes;
  private final Executor workers;
  private final Failpoints failpoints;
  private final StreamReply<Encoded> reply;
  private final AtomicBoolean stepping = new AtomicBoolean();
  private Bytes from;
  private long revision;
  private long chunkKeys = FIRST_CHUNK_KEYS;
  private long delivered;
  private volatile boolean finished;

  RangeStreamer(
      Request.Range request,
      Supplier<KvView> views,
      Headers headers,
      int targetBytes,
      World world,
      StreamReply<Encoded> reply) {
    this.request = request;
    this.views = views;
    this.headers = headers;
    this.targetBytes = targetBytes;
    this.workers = world.loops().workers();
    this.failpoints = world.failpoints();
    this.reply = reply;
    this.from = request.key();
    this.revision = request.revision();
  }

  /// What one holds of memory: a chunk as records, the same encoded, and what the network has not taken yet.
  static long heldBytes(MemberConfig config) {
    return 3L * config.maxRequestBytes();
  }

  void start() {
    reply.onReady(this::proceed);
    proceed();
  }

  private void proceed() {
    if (finished || !stepping.compareAndSet(false, true)) {
      return;
    }
    try {
      workers.execute(this::steps);
    } catch (RejectedExecutionException full) {
      finished = true;
      reply.refuse(EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
    }
  }

  private void steps() {
    try (KvView view = views.get()) {
      while (!finished && (delivered == 0 || reply.isReady()) && !reply.isCancelled()) {
        step(view);
      }
    } catch (EtcdException refusal) {
      finished = true;
      reply.refuse(refusal);
    } catch (IOException e) {
      finished = true;
      reply.refuse(KvService.damaged(e));
    } catch (IllegalStateException closed) {
      finished = true;
      reply.refuse(EtcdException.of(EtcdError.STOPPED)); // there are no views any more
    }
    stepping.set(false);
    if (!finished && reply.isReady()) {
      proceed();
    }
  }

  private void step(KvView view) throws IOException {
    failpoints.reach(Failpoint.BEFORE_RANGE_STREAM_CHUNK);
    long left = request.limit() > 0 ? request.limit() - delivered : Long.MAX_VALUE;
    long keys = Math.min(chunkKeys, left);
    RangeOptions options = request.options().at(revision).limit(request.countOnly() ? 0 : keys);
    KeyRange rest = KeyRange.decode(from, request.rangeEnd());
    RangeResult result = view.rangeWithin(rest, options, keys > 1 ? 2L * targetBytes : Long.MAX_VALUE);
    if (result == null) {
      chunkKeys = Math.max(1, keys / 2); // the values have become larger
      return;
    }
    if (revision <= 0) {
      revision = result.revision();
    }
    boolean last = request.countOnly() || !result.more() || keys == left;
    Encoded chunk = encode(result, last);
    delivered += result.kvs().length;
    if (last) {
      finished = true;
      reply.next(chunk);
      reply.complete();
      return;
    }
    byte[] lastKey = StoredKv.decode(result.kvs()[result.kvs().length - 1]).key().array();
    from = Bytes.wrap(Arrays.copyOf(lastKey, lastKey.length + 1));
    adapt(chunk.size());
    reply.next(chunk);
  }

  private void adapt(int sentBytes) {
    if (sentBytes < targetBytes / 2) {
      chunkKeys *= 2;
    } else if (sentBytes > 2L * targetBytes) {
      chunkKeys = Math.max(1, chunkKeys / 2);
    }
  }

  private Encoded encode(RangeResult result, boolean last) {
    ProtoWriter out = new ProtoWriter(RangeResponses.capacity(result.kvs()) + 16);
    int mark = out.open(RangeStreamResponse.RANGE_RESPONSE_FIELD_NUMBER);
    if (last) {
      headers.write(out, RangeResponse.HEADER_FIELD_NUMBER, result.revision());
    }
    RangeResponses.write(
        out,
        new RangeResult(
            result.kvs(), last ? delivered + result.count() : 0, last && result.more(), result.revision()));
    out.close(mark);
    return out.finish();
  }
}
