package dev.kvorum.state.keys;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.backend.KeepCheck;
import dev.kvorum.state.backend.Memtable;
import dev.kvorum.state.backend.RevisionHasher;
import dev.kvorum.state.backend.SharedRead;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The whole key space at one moment: the index, the values not yet in bolt, bolt, and how far history reaches.
///
/// Immutable, and readable by any thread as long as someone holds `read`. It does not hold it itself: [KvView] does,
/// for readers; the apply loop looks through one of these within a transaction and needs no holding.
///
/// @param pending values not in `read`, oldest first
/// @param compactRevision history below it is gone; -1 when nothing was ever compacted
/// @param hashes the newest compactions' hashes, by revision
record KvState(
    IndexView index,
    Memtable.Slice[] pending,
    SharedRead read,
    long currentRevision,
    long compactRevision,
    List<KvHash> hashes) {

  /// @throws EtcdException when `revision` is gone or not yet there
  /// @return the revision meant
  long resolve(long revision) {
    if (revision > currentRevision) {
      throw EtcdException.of(EtcdError.FUTURE_REV);
    }
    long rev = revision <= 0 ? currentRevision : revision;
    if (rev < compactRevision) {
      throw EtcdException.of(EtcdError.COMPACTED);
    }
    return rev;
  }

  /// Refuses what a txn's range at `revision` would be refused for, where only 0 means the latest.
  void check(long revision) {
    if (revision > currentRevision) {
      throw EtcdException.of(EtcdError.FUTURE_REV);
    }
    if (revision < compactRevision) {
      throw EtcdException.of(EtcdError.COMPACTED);
    }
  }

  /// `rev` as the index is to be asked for it.
  long forIndex(long rev) {
    return rev == currentRevision ? IndexView.LATEST : rev;
  }

  byte @Nullable [] get(byte[] key, long revision) throws CorruptionException {
    return at(key, resolve(revision));
  }

  /// @param rev within history
  byte @Nullable [] at(byte[] key, long rev) throws CorruptionException {
    KeyEntry entry = index.find(key);
    if (entry == null) {
      return null;
    }
    int at = entry.liveAt(rev);
    return at < 0 ? null : record(entry.mainAt(at), entry.subAt(at));
  }

  long count(KeyRange range, long revision) {
    return index.count(range, forIndex(resolve(revision)));
  }

  RangeResult range(KeyRange range, RangeOptions options) throws CorruptionException {
    return Objects.requireNonNull(rangeWithin(range, options, Long.MAX_VALUE));
  }

  /// Null when the records take more than `bytesMax`.
  @Nullable RangeResult rangeWithin(KeyRange range, RangeOptions options, long bytesMax) throws CorruptionException {
    return RangeQuery.run(this, range, options, bytesMax);
  }

  /// The record of a put that the index knows.
  byte[] record(long main, int sub) throws CorruptionException {
    for (int i = pending.length - 1; i >= 0; i--) {
      if (main >= pending[i].firstMain()) {
        return pending[i].find(main, sub);
      }
    }
    return RevisionReader.read(read, main, sub);
  }

  KvHash hash(long revision) throws CorruptionException {
    for (KvHash known : hashes) {
      if (known.revision() == revision) {
        return known;
      }
    }
    if (revision > 0 && revision < compactRevision) {
      throw EtcdException.of(EtcdError.COMPACTED);
    }
    if (revision > currentRevision) {
      throw EtcdException.of(EtcdError.FUTURE_REV);
    }
    long rev = revision == 0 ? currentRevision : revision;
    RevisionHasher hasher = new RevisionHasher(compactRevision, rev);
    KeepCheck keep = index.keepCheck(rev, false);
    RevisionReader rows = new RevisionReader(this, 0);
    while (rows.next() && rows.main() <= rev) {
      hasher.add(rows.key(), rows.keyLength(), rows.record(), keep);
    }
    return new KvHash(hasher.hash(), compactRevision, rev);
  }

  /// Events of the revisions `from` to `to` (both included) of the keys that `wanted` accepts.
  EventBatch events(long from, long to, int rowsMax, long bytesMax, @Nullable Predicate<Bytes> wanted)
      throws CorruptionException {
    if (from < compactRevision) {
      throw EtcdException.of(EtcdError.COMPACTED);
    }
    long last = Math.min(to, currentRevision);
    List<Event> events = new ArrayList<>();
    RevisionReader rows = new RevisionReader(this, from);
    int seen = 0;
    long bytes = 0;
    long previous = -1;
    while (rows.next() && rows.main() <= last) {
      if ((seen >= rowsMax || bytes >= bytesMax) && rows.main() != previous) {
        return new EventBatch(events, rows.main());
      }
      seen++;
      bytes += rows.record().length;
      previous = rows.main();
      Bytes key = Bytes.wrap(StoredKv.keyOf(rows.record()));
      if (wanted == null || wanted.test(key)) {
        events.add(event(rows, key));
      }
    }
    return new EventBatch(events, Math.max(from, last + 1));
  }

  private static Event event(RevisionReader row, Bytes key) {
    if (row.isTombstone()) {
      byte[] kv = StoredKv.encodeDeleted(key.array(), row.main());
      return new Event(Event.Type.DELETE, key, kv, row.main(), row.sub(), false);
    }
    boolean isCreate = StoredKv.decode(row.record()).version() == 1;
    return new Event(Event.Type.PUT, key, row.record(), row.main(), row.sub(), isCreate);
  }

  Cursor cursor() {
    return read.keys().cursor();
  }
}
