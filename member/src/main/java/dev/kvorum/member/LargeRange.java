package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.state.Request;
import dev.kvorum.state.keys.KeyScan;
import dev.kvorum.state.keys.KvView;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One range whose answer is too large to be held: measured, then encoded piece by piece into a single response, as
/// fast as the peer reads.
///
/// All of it is of one revision. Between two pieces it holds the last view it read, and goes over to the newest with
/// each piece: so a peer that reads, however slowly, keeps nobody's pages from being used again. Only when its revision
/// has been compacted meanwhile does it stay with the last view that knows it, to the end. Steps run on workers, never
/// two at a time.
final class LargeRange implements LargeReads.Read {
  /// What is encoded at once. The front's buffers are of this size, too.
  static final int PIECE_BYTES = 1 << 20;

  /// The largest message there is: as in Go's gRPC, less its framing.
  private static final int MESSAGE_BYTES_MAX = Integer.MAX_VALUE - 16;

  private static final int MEASURE_KEYS = 16_384;

  private final Request.Range request;
  private final Supplier<KvView> views;
  private final Headers headers;
  private final Executor workers;
  private final LargeReads turns;
  private final Reply<Encoded> reply;
  private final AtomicBoolean stepping = new AtomicBoolean();

  private @Nullable KvView held;
  private @Nullable KeyScan scan;
  private @Nullable StreamReply<Encoded> stream;
  private byte[] header = new byte[0];
  private boolean begun;
  private volatile boolean finished;

  LargeRange(
      Request.Range request,
      Supplier<KvView> views,
      Headers headers,
      Executor workers,
      LargeReads turns,
      Reply<Encoded> reply) {
    this.request = request;
    this.views = views;
    this.headers = headers;
    this.workers = workers;
    this.turns = turns;
    this.reply = reply;
  }

  @Override
  public void begin() {
    proceed();
  }

  @Override
  public boolean isCancelled() {
    return reply.isCancelled();
  }

  @Override
  public void refuse(EtcdException why) {
    reply.refuse(why);
  }

  /// Any thread.
  private void proceed() {
    if (finished || !stepping.compareAndSet(false, true)) {
      return;
    }
    try {
      workers.execute(this::step);
    } catch (RejectedExecutionException full) {
      fail(EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
    }
  }

  private void step() {
    try {
      if (reply.isCancelled()) {
        end();
      } else if (stream == null) {
        measure();
      } else if (stream.isReady()) {
        deliver(stream);
      }
    } catch (EtcdException refusal) {
      fail(refusal);
    } catch (IOException e) {
      fail(KvService.damaged(e));
    } catch (IllegalStateException closed) {
      fail(EtcdException.of(EtcdError.STOPPED)); // there are no views any more
    }
    stepping.set(false);
    StreamReply<Encoded> out = stream;
    if (!finished && (out == null || out.isReady() || out.isCancelled())) {
      proceed();
    }
  }

  /// The newest view if it still knows the revision, else the last that did.
  private KvView view(KeyScan of) {
    KvView newest = views.get();
    KvView before = held;
    if (before != null && !of.isKnownTo(newest)) {
      newest.close();
      return before;
    }
    if (before != null) {
      before.close();
    }
    held = newest;
    return newest;
  }

  private void measure() throws IOException {
    if (scan == null) {
      held = views.get();
      scan = new KeyScan(held, request.keys(), request.options());
      ProtoWriter out = new ProtoWriter(64);
      headers.write(out, RangeResponse.HEADER_FIELD_NUMBER, held.currentRevision());
      header = out.toByteArray();
    }
    if (scan.measure(view(scan), MEASURE_KEYS)) {
      return;
    }
    long size = header.length + scan.bytes() + tail(scan).length;
    if (size > MESSAGE_BYTES_MAX) {
      throw EtcdException.of(
          GrpcCode.RESOURCE_EXHAUSTED,
          "grpc: trying to send message larger than max (" + size + " vs. " + Integer.MAX_VALUE + ")");
    }
    StreamReply<Encoded> begins = reply.inPieces((int) size);
    stream = begins;
    begins.onReady(this::proceed);
  }

  private static byte[] tail(KeyScan scan) {
    ProtoWriter out = new ProtoWriter(16);
    out.flag(RangeResponse.MORE_FIELD_NUMBER, scan.more());
    out.number(RangeResponse.COUNT_FIELD_NUMBER, scan.count());
    return out.toByteArray();
  }

  private void deliver(StreamReply<Encoded> out) throws IOException {
    KeyScan records = java.util.Objects.requireNonNull(scan);
    byte[][] kvs = records.next(view(records), PIECE_BYTES);
    ProtoWriter piece = new ProtoWriter(RangeResponses.capacity(kvs) + header.length);
    if (!begun) {
      begun = true;
      piece.append(header, 0, header.length);
    }
    for (byte[] kv : kvs) {
      piece.splice(RangeResponse.KVS_FIELD_NUMBER, kv);
    }
    if (kvs.length > 0) {
      out.next(piece.finish());
      return;
    }
    byte[] tail = tail(records);
    piece.append(tail, 0, tail.length);
    out.next(piece.finish());
    out.complete();
    end();
  }

  private void fail(EtcdException why) {
    StreamReply<Encoded> out = stream;
    if (out == null) {
      reply.refuse(why);
    } else {
      out.refuse(why);
    }
    end();
  }

  private void end() {
    finished = true;
    KvView last = held;
    held = null;
    if (last != null) {
      last.close();
    }
    turns.ended();
  }
}
