package dev.kvorum.state.backend;

import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.nio.ByteBuffer;

/// Puts a [WriteBatch] into a write transaction: its changes, and the raft position they bring the file to.
final class BatchWriter {
  /// Revisions only ever come behind the last: pages are left nearly full.
  static final double ASCENDING_FILL = 0.9;

  private BatchWriter() {}

  static void write(WriteBatch batch, WriteTx tx) throws CorruptionException {
    writeKeys(batch.memtable().slice(), bucket(tx, BucketName.KEY));
    for (WriteBatch.Op op : batch.ops()) {
      Bucket bucket = bucket(tx, op.bucket());
      Bytes value = op.value();
      if (value == null) {
        bucket.delete(op.key().array());
      } else {
        bucket.put(op.key().array(), value.array());
      }
    }
    writePosition(batch, bucket(tx, BucketName.META));
  }

  private static void writeKeys(Memtable.Slice rows, Bucket keys) throws CorruptionException {
    if (rows.rows() == 0) {
      return;
    }
    keys.fillPercent(ASCENDING_FILL);
    byte[] plain = new byte[RevisionKey.SIZE];
    byte[] tombstone = new byte[RevisionKey.TOMBSTONE_SIZE];
    tombstone[RevisionKey.SIZE] = 't';
    for (int row = 0; row < rows.rows(); row++) {
      byte[] key = rows.isTombstone(row) ? tombstone : plain;
      RevisionKey.write(key, rows.main(row), rows.sub(row));
      keys.put(key, rows.record(row));
    }
  }

  private static void writePosition(WriteBatch batch, Bucket meta) throws CorruptionException {
    if (batch.consistentIndex() > 0) {
      meta.put(MetaKey.CONSISTENT_INDEX.array(), bigEndian(batch.consistentIndex()));
      if (batch.term() > 0) {
        meta.put(MetaKey.TERM.array(), bigEndian(batch.term()));
      }
    }
    Bytes confState = batch.confState();
    if (confState != null) {
      meta.put(MetaKey.CONF_STATE.array(), confState.array());
    }
  }

  private static byte[] bigEndian(long value) {
    return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
  }

  static Bucket bucket(WriteTx tx, BucketName name) throws CorruptionException {
    Bucket bucket = tx.bucket(name.bytes());
    if (bucket == null) {
      throw Invariant.unreachable("bucket " + name.text() + " is created when the file is opened");
    }
    return bucket;
  }
}
