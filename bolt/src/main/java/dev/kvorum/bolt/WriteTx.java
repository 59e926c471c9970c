package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.io.IOException;

/// Changes on top of the last committed state, invisible to others until [#commit]. Owned by one loop.
public final class WriteTx implements Tx {
  WriteTx() {}

  @Override
  public long id() {
    throw Invariant.unreachable("engine under construction");
  }

  @Override
  public long sizeBytes() {
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

  /// @throws IllegalStateException when there is one already
  public Bucket createBucket(byte[] name) throws CorruptionException {
    return root().createBucket(name);
  }

  public Bucket createBucketIfAbsent(byte[] name) throws CorruptionException {
    return root().createBucketIfAbsent(name);
  }

  /// Removes a bucket and all in it. @return false when there was none
  public boolean deleteBucket(byte[] name) throws CorruptionException {
    return root().deleteBucket(name);
  }

  /// Makes the changes durable, then visible to readers that begin after it returns.
  ///
  /// @throws IOException when writing or syncing failed, or a page read on the way was corrupt. That is final: what
  ///     the file now holds is unknown until it is opened again, so the [Bolt] refuses all further writes
  public CommitStats commit() throws IOException {
    throw Invariant.unreachable("engine under construction");
  }

  /// Forgets the changes.
  public void rollback() {
    throw Invariant.unreachable("engine under construction");
  }

  @Override
  public void close() {
    throw Invariant.unreachable("engine under construction");
  }
}
