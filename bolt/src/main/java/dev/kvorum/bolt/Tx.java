package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import org.jspecify.annotations.Nullable;

/// One consistent state of a [Bolt]: the last committed one ([ReadTx]), or that with changes in the making
/// ([WriteTx]). Closing a write transaction that was not committed rolls it back.
public sealed interface Tx extends AutoCloseable permits ReadTx, WriteTx {
  /// The transaction id of the state read, or of the one being written.
  long id();

  /// Bytes of all pages ever allocated: what etcd calls the database size.
  long sizeBytes();

  /// The bucket of buckets. It holds no plain values.
  Bucket root();

  /// The bucket of that name. @return null if there is none
  default @Nullable Bucket bucket(byte[] name) throws CorruptionException {
    return root().bucket(name);
  }

  /// Over the names of the buckets.
  default Cursor cursor() {
    return root().cursor();
  }

  Bolt bolt();

  /// May be called twice.
  @Override
  void close();
}
