package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/// The state of a [ReadTx] as a database file of its own, read front to back: what etcd's Snapshot RPC sends.
///
/// Two meta pages are made up, the others are the file's, free ones included. Both metas tell this state, the second
/// under the transaction id before. Valid while the transaction is open. One thread's at a time.
///
/// Source: bbolt `tx.go`, `WriteTo`.
public final class SnapshotReader {
  private final ReadTx tx;
  private final DiskFile file;
  private final ByteBuffer metas;
  private final long sizeBytes;
  private long position;

  SnapshotReader(ReadTx tx, DiskFile file) {
    this.tx = tx;
    this.file = file;
    this.sizeBytes = tx.sizeBytes();
    Meta meta = tx.meta();
    int pageSize = meta.pageSize();
    this.metas = ByteBuffer.allocate(2 * pageSize);
    meta.write(metas, 0, 0);
    long before = Math.max(0, meta.txid() - 1);
    new Meta(pageSize, meta.root(), meta.sequence(), meta.freelist(), meta.pageCount(), before)
        .write(metas, pageSize, 1);
  }

  /// Bytes in all, a multiple of the page size.
  public long sizeBytes() {
    return sizeBytes;
  }

  /// Bytes not yet read.
  public long remainingBytes() {
    return sizeBytes - position;
  }

  /// Reads the next bytes, as many as fit. @return their number, or -1 at the end
  public int read(ByteBuffer target) throws IOException {
    tx.checkOpen();
    if (position == sizeBytes) {
      return -1;
    }
    int wanted = (int) Math.min(target.remaining(), sizeBytes - position);
    int limit = target.limit();
    target.limit(target.position() + wanted);
    try {
      readMetas(target);
      readPages(target);
    } finally {
      target.limit(limit);
    }
    return wanted;
  }

  private void readMetas(ByteBuffer target) {
    if (position < metas.capacity()) {
      int n = Math.min(target.remaining(), metas.capacity() - (int) position);
      target.put(metas.slice((int) position, n));
      position += n;
    }
  }

  private void readPages(ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      int n = file.read(target, position);
      if (n <= 0) {
        throw new CorruptionException(file.path(), position, "file ends before its last page");
      }
      position += n;
    }
  }
}
