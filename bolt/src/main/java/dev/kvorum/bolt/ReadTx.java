package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.util.concurrent.atomic.AtomicBoolean;

/// A committed state, unchanging until closed. Usable by many threads at once, as are its buckets; cursors are not.
///
/// While it is open, pages of its state are not used again, so one held for long makes the file grow.
/// Whoever closes it makes sure that nobody is still reading through it.
public final class ReadTx implements Tx {
  private final Bolt bolt;
  private final Committed state;
  private final Bucket root;
  private final AtomicBoolean released = new AtomicBoolean();

  /// Plain, for the check on each use: a late view of it only delays the complaint.
  private boolean closed;

  /// Takes over the caller's hold on `state`.
  ReadTx(Bolt bolt, Committed state) {
    this.bolt = bolt;
    this.state = state;
    this.root = Bucket.root(this, state.pages, state.meta);
  }

  @Override
  public long id() {
    return state.meta.txid();
  }

  @Override
  public long sizeBytes() {
    return state.sizeBytes();
  }

  /// Bytes of the pages that were free when this state was committed; 0 if the file is open read-only.
  public long freeBytes() {
    return state.freePages * state.meta.pageSize();
  }

  /// Whether the file lists its free pages for this state.
  public boolean hasFreelist() {
    return state.meta.hasFreelist();
  }

  @Override
  public Bucket root() {
    checkOpen();
    return root;
  }

  @Override
  public Bolt bolt() {
    return bolt;
  }

  /// This state as a file of its own, in chunks.
  public SnapshotReader snapshot() {
    checkOpen();
    return new SnapshotReader(this, bolt.file());
  }

  @Override
  public void close() {
    if (released.compareAndSet(false, true)) {
      closed = true;
      state.release();
      bolt.readEnded();
    }
  }

  Meta meta() {
    return state.meta;
  }

  Pages pages() {
    return state.pages;
  }

  void checkOpen() {
    Invariant.check(!closed, "a read transaction used after its end");
  }
}
