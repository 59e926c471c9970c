package dev.kvorum.state.keys;

import dev.kvorum.bolt.Cursor;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.RevisionKey;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Some of the file's revisions, one behind another, read into an index of their own. One thread's at a time.
final class RevisionRun {
  private final Backend backend;
  private final byte[] from;
  private final byte @Nullable [] to;
  private final KeyIndex index = new KeyIndex();

  /// What the run last says of the lease of each key that had one in it.
  private final Map<Bytes, Binding> bindings = new LinkedHashMap<>();

  private final byte[] key = new byte[RevisionKey.TOMBSTONE_SIZE];
  private byte[] record = new byte[4096];
  private long last;
  private int lastSub = -1;

  /// Where the search for `from` ended, and where reading did: keys, or null for the end of the bucket.
  private byte @Nullable [] entered;
  private byte @Nullable [] left;

  private record Binding(long lease, long main, int sub) {}

  /// @param from where it begins, as the `key` bucket spells revisions
  /// @param to where the next begins; null for the last
  RevisionRun(Backend backend, byte[] from, byte @Nullable [] to) {
    this.backend = backend;
    this.from = from;
    this.to = to;
  }

  void read() throws CorruptionException {
    Cursor cursor = backend.read().keys().cursor();
    boolean more = cursor.seek(from);
    entered = more ? cursor.key() : null;
    for (; more && readKey(cursor); more = cursor.next()) {
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
    left = more ? cursor.key() : null;
    record = new byte[0];
  }

  /// Holds against each other where this run ended, reading on, and where `next` began, having looked for its beginning:
  /// a rotten key between them could end the one early, or let the other begin late, and what lies between be lost.
  void requireFollowedBy(RevisionRun next) throws CorruptionException {
    if (!Arrays.equals(left, next.entered)) {
      throw corrupt("the key bucket is out of order behind revision " + last + "." + lastSub);
    }
  }

  /// @return false when it belongs to the next run
  private boolean readKey(Cursor cursor) throws CorruptionException {
    int length = cursor.keyLength();
    if (cursor.isBucket()) {
      throw corrupt("the key bucket holds a bucket");
    }
    if (length != RevisionKey.SIZE && length != RevisionKey.TOMBSTONE_SIZE) {
      throw corrupt("the key bucket has a key of " + length + " bytes");
    }
    cursor.copyKey(key, 0);
    if (to != null && Arrays.compareUnsigned(key, 0, length, to, 0, to.length) >= 0) {
      return false;
    }
    if (!RevisionKey.isValid(key, length)) {
      throw corrupt("the key bucket has a key that is no revision");
    }
    long main = RevisionKey.main(key);
    int sub = RevisionKey.sub(key);
    if (main < last || main == last && sub <= lastSub || Arrays.compareUnsigned(key, 0, length, from, 0, from.length) < 0) {
      throw corrupt("revision " + main + "." + sub + " follows " + last + "." + lastSub);
    }
    last = main;
    lastSub = sub;
    return true;
  }

  private void restore(boolean tombstone, StoredKv kv) {
    byte[] userKey = kv.keyArray();
    int sub = RevisionKey.sub(key);
    index.restore(userKey, last, sub, kv.createRevision(), kv.version(), tombstone);
    if (kv.lease() != 0 && !tombstone) {
      bindings.put(Bytes.wrap(userKey), new Binding(kv.lease(), last, sub));
    }
  }

  private CorruptionException corrupt(String what) {
    return new CorruptionException(backend.file(), 0, what);
  }

  KeyIndex index() {
    return index;
  }

  /// The main of its last revision; 0 when it has none.
  long last() {
    return last;
  }

  /// Adds to `leases` those of its bindings that are the newest word on their keys in the index of all runs.
  void leasesWithin(IndexView all, List<KeyLease> leases) {
    bindings.forEach(
        (boundKey, binding) -> {
          KeyEntry entry = all.find(boundKey.array());
          if (entry != null && entry.main() == binding.main() && entry.sub() == binding.sub()) {
            leases.add(new KeyLease(boundKey, binding.lease()));
          }
        });
  }
}
