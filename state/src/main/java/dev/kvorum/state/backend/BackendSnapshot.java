package dev.kvorum.state.backend;

import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.SnapshotReader;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The backend's file at one moment, read front to back: what Maintenance.Snapshot streams and a follower is sent.
///
/// Opened on the backend loop; then one thread's, which closes it.
public final class BackendSnapshot implements AutoCloseable {
  private final BoltFile file;
  private final ReadTx tx;
  private final SnapshotReader reader;
  private boolean closed;

  BackendSnapshot(BoltFile file) {
    file.retain();
    this.file = file;
    this.tx = file.bolt().beginRead();
    this.reader = tx.snapshot();
  }

  public long sizeBytes() {
    return reader.sizeBytes();
  }

  public long remainingBytes() {
    return reader.remainingBytes();
  }

  /// Reads the next bytes, as many as fit. @return their number, or -1 at the end
  public int read(ByteBuffer target) throws IOException {
    return reader.read(target);
  }

  /// The `storageVersion` the file records, such as `3.7.0`; empty when it records none.
  public String storageVersion() throws CorruptionException {
    byte[] value = meta(MetaKey.STORAGE_VERSION);
    return value == null ? "" : new String(value, StandardCharsets.UTF_8);
  }

  /// The last raft entry whose effects the file holds; 0 when none is recorded.
  public long consistentIndex() throws CorruptionException {
    byte[] value = meta(MetaKey.CONSISTENT_INDEX);
    return value == null ? 0 : ByteBuffer.wrap(value).getLong();
  }

  private byte @Nullable [] meta(Bytes key) throws CorruptionException {
    var bucket = tx.bucket(BucketName.META.bytes());
    return bucket == null ? null : bucket.get(key.array());
  }

  /// May be called twice.
  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      tx.close();
      file.release();
    }
  }
}
