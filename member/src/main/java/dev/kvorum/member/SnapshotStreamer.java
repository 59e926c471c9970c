package dev.kvorum.member;

import com.google.protobuf.UnsafeByteOperations;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.api.etcdserverpb.SnapshotResponse;
import dev.kvorum.state.backend.BackendSnapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Streams the db file to a client in blobs of 32 KiB and ends with their SHA-256, as fast as the peer reads.
///
/// Steps run on workers, never two at a time; the file's pages stay as they are until the stream ends or its peer goes.
final class SnapshotStreamer {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotStreamer.class);
  private static final int BLOB_BYTES = 32 * 1024;

  /// What one holds of memory: blobs on their way, and what the network has not taken yet.
  static final long HELD_BYTES = 4 * BLOB_BYTES;

  private final BackendSnapshot file;
  private final Executor workers;
  private final StreamReply<Encoded> reply;
  private final MessageDigest digest;
  private final AtomicBoolean stepping = new AtomicBoolean();
  private String version = "";
  private volatile boolean finished;

  SnapshotStreamer(BackendSnapshot file, Executor workers, StreamReply<Encoded> reply) {
    this.file = file;
    this.workers = workers;
    this.reply = reply;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
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
      end();
      reply.refuse(EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
    }
  }

  private void steps() {
    try {
      if (version.isEmpty()) {
        version = file.storageVersion();
        LOG.atInfo()
            .addKeyValue("total-bytes", file.sizeBytes())
            .addKeyValue("storage-version", version)
            .log("sending database snapshot to client");
      }
      while (!finished && reply.isReady() && !reply.isCancelled()) {
        step();
      }
      if (reply.isCancelled()) {
        end();
      }
    } catch (IOException e) {
      end();
      reply.refuse(EtcdException.of(GrpcCode.UNKNOWN, String.valueOf(e.getMessage())));
    }
    stepping.set(false);
    if (!finished && (reply.isReady() || reply.isCancelled())) {
      proceed();
    }
  }

  private void step() throws IOException {
    byte[] blob = new byte[BLOB_BYTES];
    int length = file.read(ByteBuffer.wrap(blob));
    if (length < 0) {
      send(digest.digest(), 0);
      end();
      reply.complete();
      LOG.atInfo().addKeyValue("storage-version", version).log("successfully sent database snapshot to client");
      return;
    }
    digest.update(blob, 0, length);
    send(length == blob.length ? blob : Arrays.copyOf(blob, length), file.remainingBytes());
  }

  private void send(byte[] blob, long remaining) {
    reply.next(
        Encoded.of(
            SnapshotResponse.newBuilder()
                .setBlob(UnsafeByteOperations.unsafeWrap(blob))
                .setRemainingBytes(remaining)
                .setVersion(version)
                .build()));
  }

  private void end() {
    finished = true;
    try {
      file.close();
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("error", e.getMessage()).log("failed to close a database snapshot");
    }
  }
}
