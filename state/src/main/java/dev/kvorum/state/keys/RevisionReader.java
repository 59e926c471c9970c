package dev.kvorum.state.keys;

import dev.kvorum.bolt.Cursor;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import dev.kvorum.state.backend.Memtable;
import dev.kvorum.state.backend.RevisionKey;
import dev.kvorum.state.backend.SharedRead;

/// The stored rows of a [KvState] in order of revision, deletions included: bolt's first, then those not yet there.
/// One thread's.
final class RevisionReader {
  private final KvState state;
  private final Cursor cursor;
  private final byte[] start;
  private final long fromMain;
  private boolean started;
  private boolean inBolt = true;
  private int slice;
  private int row = -1;

  private final byte[] key = new byte[RevisionKey.TOMBSTONE_SIZE];
  private int keyLength;
  private byte[] record = new byte[0];

  /// Begins at the first row whose main is at least `fromMain`.
  RevisionReader(KvState state, long fromMain) {
    this.state = state;
    this.cursor = state.cursor();
    this.fromMain = Math.max(0, fromMain);
    this.start = RevisionKey.encode(this.fromMain, 0);
  }

  boolean next() throws CorruptionException {
    if (inBolt) {
      boolean found = started ? cursor.next() : cursor.seek(start);
      started = true;
      if (found) {
        takeFromBolt();
        return true;
      }
      inBolt = false;
    }
    return takeFromPending();
  }

  private void takeFromBolt() throws CorruptionException {
    keyLength = cursor.keyLength();
    if (keyLength == RevisionKey.SIZE || keyLength == RevisionKey.TOMBSTONE_SIZE) {
      cursor.copyKey(key, 0);
      if (RevisionKey.isValid(key, keyLength)) {
        record = cursor.value();
        return;
      }
    }
    throw new CorruptionException(state.read().tx().bolt().path(), 0, "the key bucket has a key that is no revision");
  }

  private boolean takeFromPending() {
    Memtable.Slice[] pending = state.pending();
    while (slice < pending.length) {
      Memtable.Slice current = pending[slice];
      row = row < 0 ? current.ceiling(fromMain, 0) : row + 1;
      if (row < current.rows()) {
        RevisionKey.write(key, current.main(row), current.sub(row));
        key[RevisionKey.SIZE] = 't';
        keyLength = current.isTombstone(row) ? RevisionKey.TOMBSTONE_SIZE : RevisionKey.SIZE;
        record = current.record(row);
        return true;
      }
      slice++;
      row = -1;
    }
    return false;
  }

  /// The revision as `key` bucket spells it; overwritten by the next row.
  byte[] key() {
    return key;
  }

  int keyLength() {
    return keyLength;
  }

  long main() {
    return RevisionKey.main(key);
  }

  int sub() {
    return RevisionKey.sub(key);
  }

  boolean isTombstone() {
    return keyLength == RevisionKey.TOMBSTONE_SIZE;
  }

  byte[] record() {
    return record;
  }

  /// The record of one put that must be in bolt.
  static byte[] read(SharedRead read, long main, int sub) throws CorruptionException {
    byte[] record = read.keys().get(RevisionKey.encode(main, sub));
    if (record == null) {
      throw missing(main, sub);
    }
    return record;
  }

  static RuntimeException missing(long main, int sub) {
    return Invariant.unreachable("revision " + main + "." + sub + " is in the index and not in the file");
  }
}
