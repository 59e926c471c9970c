package dev.kvorum.state.backend;

import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A bolt read transaction that many views read through; the last to let go closes it.
///
/// Born held once, by whoever made it. From any thread, by compare-and-set: no lock.
public final class SharedRead {
  private final ReadTx tx;
  private final @Nullable Bucket keys;
  private final AtomicInteger holders = new AtomicInteger(1);

  SharedRead(ReadTx tx) throws CorruptionException {
    this.tx = tx;
    this.keys = tx.bucket(BucketName.KEY.bytes());
  }

  /// @throws dev.kvorum.env.InvariantViolation when the last holder has let go already
  public void retain() {
    int before = holders.getAndIncrement();
    Invariant.check(before > 0, "a closed read transaction is retained");
  }

  public void release() {
    int left = holders.decrementAndGet();
    Invariant.check(left >= 0, "a read transaction is released too often");
    if (left == 0) {
      tx.close();
    }
  }

  /// The `key` bucket.
  public Bucket keys() {
    if (keys == null) {
      throw Invariant.unreachable("the key bucket is created when the file is opened");
    }
    return keys;
  }

  public @Nullable Bucket bucket(BucketName name) throws CorruptionException {
    return tx.bucket(name.bytes());
  }

  public ReadTx tx() {
    return tx;
  }
}
