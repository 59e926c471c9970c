package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.io.IOException;
import java.nio.ByteBuffer;

/// The state of a [ReadTx] as a database file of its own, read front to back: what etcd's Snapshot RPC sends.
///
/// Valid while the transaction is open. One thread's at a time.
public final class SnapshotReader {
  SnapshotReader() {}

  /// Bytes in all, a multiple of the page size.
  public long sizeBytes() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Bytes not yet read.
  public long remainingBytes() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Reads the next bytes, as many as fit. @return their number, or -1 at the end
  public int read(ByteBuffer target) throws IOException {
    throw Invariant.unreachable("engine under construction");
  }
}
