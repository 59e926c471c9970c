package dev.kvorum.state.keys;

import dev.kvorum.bolt.Cursor;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.MetaKey;
import dev.kvorum.state.backend.RevisionKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What a store's memory is rebuilt from: one walk over every revision in the file.
///
/// Source: backend-schema §3.1.
///
/// @param lastRevision 0 when the file has no revision
/// @param finishedCompactRevision -1 when nothing was ever compacted
/// @param scheduledCompactRevision -1 when none was; above the finished one when a compaction was interrupted
/// @param leases by key
record Restore(
    KeyIndex index,
    long lastRevision,
    long finishedCompactRevision,
    long scheduledCompactRevision,
    List<KeyLease> leases) {

  static Restore from(Backend backend) throws CorruptionException {
    Scan scan = new Scan(backend);
    scan.run();
    List<KeyLease> leases = new ArrayList<>(scan.leases.size());
    scan.leases.forEach((key, lease) -> leases.add(new KeyLease(key, lease)));
    leases.sort((a, b) -> a.key().compareTo(b.key()));
    return new Restore(
        scan.index,
        scan.last,
        compactRevision(backend, MetaKey.FINISHED_COMPACT_REV),
        compactRevision(backend, MetaKey.SCHEDULED_COMPACT_REV),
        leases);
  }

  private static long compactRevision(Backend backend, Bytes name) throws CorruptionException {
    byte[] value = backend.get(BucketName.META, name);
    if (value == null) {
      return -1;
    }
    if (!RevisionKey.isValid(value, value.length)) {
      throw new CorruptionException(backend.file(), 0, "meta " + name.toUtf8() + " is no revision");
    }
    return RevisionKey.main(value);
  }

  private static final class Scan {
    private final Backend backend;
    private final KeyIndex index = new KeyIndex();
    private final Map<Bytes, Long> leases = new HashMap<>();
    private final byte[] key = new byte[RevisionKey.TOMBSTONE_SIZE];
    private byte[] record = new byte[4096];
    private long last;

    Scan(Backend backend) {
      this.backend = backend;
    }

    void run() throws CorruptionException {
      Cursor cursor = backend.read().keys().cursor();
      for (boolean more = cursor.first(); more; more = cursor.next()) {
        readKey(cursor);
        int length = cursor.valueLength();
        if (length > record.length) {
          record = new byte[Math.max(length, 2 * record.length)];
        }
        cursor.copyValue(record, 0);
        try {
          restore(cursor.keyLength() == RevisionKey.TOMBSTONE_SIZE, StoredKv.decode(record, length));
        } catch (InvariantViolation e) {
          CorruptionException corruption = corrupt("the record of revision " + last + " is none: " + e.getMessage());
          corruption.initCause(e);
          throw corruption;
        }
      }
    }

    private void readKey(Cursor cursor) throws CorruptionException {
      int length = cursor.keyLength();
      if (length != RevisionKey.SIZE && length != RevisionKey.TOMBSTONE_SIZE) {
        throw corrupt("the key bucket has a key of " + length + " bytes");
      }
      cursor.copyKey(key, 0);
      if (!RevisionKey.isValid(key, length)) {
        throw corrupt("the key bucket has a key that is no revision");
      }
      last = RevisionKey.main(key);
    }

    private void restore(boolean tombstone, StoredKv kv) {
      byte[] userKey = kv.keyArray();
      index.restore(userKey, last, RevisionKey.sub(key), kv.createRevision(), kv.version(), tombstone);
      if (kv.lease() != 0 && !tombstone) {
        leases.put(Bytes.wrap(userKey), kv.lease());
      } else if (!leases.isEmpty()) {
        leases.remove(Bytes.wrap(userKey));
      }
    }

    private CorruptionException corrupt(String what) {
      return new CorruptionException(backend.file(), 0, what);
    }
  }
}
