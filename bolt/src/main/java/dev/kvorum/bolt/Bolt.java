package dev.kvorum.bolt;

import dev.kvorum.env.Disk;
import dev.kvorum.env.Invariant;
import java.io.IOException;
import java.nio.file.Path;

/// One open database file.
///
/// Owned by one loop, except for [#beginRead], [#stats] and the getters, which any thread may call.
public final class Bolt implements AutoCloseable {
  private Bolt() {}

  /// Opens `file`, creating it (unless read-only) when absent or empty. Takes bbolt's `flock`, and never waits for it.
  ///
  /// @throws FileLockedException when another holder excludes it; the caller may try again later
  /// @throws dev.kvorum.env.CorruptionException when neither meta page is valid, or pages contradict each other
  public static Bolt open(Disk disk, Path file, BoltOptions options) throws IOException {
    throw Invariant.unreachable("engine under construction");
  }

  /// @throws IOException when an earlier commit failed: the file must be opened again
  /// @throws dev.kvorum.env.InvariantViolation when a write transaction is open, or the file is read-only
  public WriteTx beginWrite() throws IOException {
    throw Invariant.unreachable("engine under construction");
  }

  /// A reader of the last committed state. From any thread; takes no lock.
  public ReadTx beginRead() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Length of the file, which grows in steps of 16 MiB; for the size etcd reports see [BoltStats#sizeBytes].
  public long fileSizeBytes() {
    throw Invariant.unreachable("engine under construction");
  }

  public BoltStats stats() {
    throw Invariant.unreachable("engine under construction");
  }

  public Path path() {
    throw Invariant.unreachable("engine under construction");
  }

  public int pageSize() {
    throw Invariant.unreachable("engine under construction");
  }

  public int openReaders() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Rolls back an open write transaction and lets the file go. Open readers stay valid until they close, except
  /// their [SnapshotReader]s.
  @Override
  public void close() throws IOException {
    throw Invariant.unreachable("engine under construction");
  }
}
