package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;

/// A committed state, unchanging until closed. Usable by many threads at once, as are its buckets; cursors are not.
///
/// While it is open, pages of its state are not used again, so one held for long makes the file grow.
/// Whoever closes it makes sure that nobody is still reading through it.
public final class ReadTx implements Tx {
  ReadTx() {}

  @Override
  public long id() {
    throw Invariant.unreachable("engine under construction");
  }

  @Override
  public long sizeBytes() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Bytes of the pages that were free when this state was committed.
  public long freeBytes() {
    throw Invariant.unreachable("engine under construction");
  }

  @Override
  public Bucket root() {
    throw Invariant.unreachable("engine under construction");
  }

  @Override
  public Bolt bolt() {
    throw Invariant.unreachable("engine under construction");
  }

  /// This state as a file of its own, in chunks.
  public SnapshotReader snapshot() {
    throw Invariant.unreachable("engine under construction");
  }

  @Override
  public void close() {
    throw Invariant.unreachable("engine under construction");
  }
}
