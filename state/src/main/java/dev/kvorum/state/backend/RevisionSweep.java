package dev.kvorum.state.backend;

import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.env.CorruptionException;

/// The physical part of one compaction: walks the revisions at or below the compacted one, in bounded steps, deletes
/// those not kept, and notes in the last step's transaction that it is finished. That step deletes nothing: so the pages
/// that the ones before gave up count as free by then, and whoever waited for the end sees the space he has won.
///
/// After a crash it is begun again from the start: what was deleted is gone, the rest is decided alike.
///
/// Owned by the backend loop. Source: backend-schema §3.2, §9.
public final class RevisionSweep {
  private final long rev;
  private final RevisionHasher hasher;
  private final byte[] next = RevisionKey.encode(0, 0);
  private final byte[] key = new byte[RevisionKey.TOMBSTONE_SIZE];
  private long deleted;
  private boolean finished;

  /// @param previousRev the revision compacted at before; -1 for none
  public RevisionSweep(long previousRev, long rev) {
    this.rev = rev;
    this.hasher = new RevisionHasher(previousRev, rev);
  }

  void step(WriteTx tx, KeepCheck keep, int scanMax) throws CorruptionException {
    Bucket keys = BatchWriter.bucket(tx, BucketName.KEY);
    keys.fillPercent(BatchWriter.ASCENDING_FILL);
    Cursor cursor = keys.cursor();
    int scanned = 0;
    long deletedBefore = deleted;
    for (boolean more = cursor.seek(next); more && scanned < scanMax; more = cursor.next()) {
      int length = readKey(cursor, tx);
      long main = RevisionKey.main(key);
      if (main > rev) {
        break;
      }
      scanned++;
      int sub = RevisionKey.sub(key);
      byte[] record = cursor.value();
      boolean kept = keep.isKept(record, main, sub);
      hasher.add(key, length, record, keep, kept);
      RevisionKey.write(next, main, sub + 1);
      if (!kept) {
        cursor.delete();
        deleted++;
      }
    }
    if (scanned < scanMax && deleted == deletedBefore) {
      finish(tx);
    }
  }

  private int readKey(Cursor cursor, WriteTx tx) throws CorruptionException {
    int length = cursor.keyLength();
    if (length == RevisionKey.SIZE || length == RevisionKey.TOMBSTONE_SIZE) {
      cursor.copyKey(key, 0);
      if (RevisionKey.isValid(key, length)) {
        return length;
      }
    }
    throw new CorruptionException(tx.bolt().path(), 0, "the key bucket has a key that is no revision");
  }

  private void finish(WriteTx tx) throws CorruptionException {
    BatchWriter.bucket(tx, BucketName.META).put(MetaKey.FINISHED_COMPACT_REV.array(), RevisionKey.encode(rev, 0));
    finished = true;
  }

  /// Whether the last step was the last.
  public boolean isFinished() {
    return finished;
  }

  /// Revisions deleted so far.
  public long deleted() {
    return deleted;
  }

  /// The compaction's hash, once finished.
  public int hash() {
    return hasher.hash();
  }
}
