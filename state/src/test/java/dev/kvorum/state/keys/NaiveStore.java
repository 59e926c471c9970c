package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.backend.RevisionKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The store as one list of all changes ever made, asked by walking it: slow, and too simple to be wrong.
final class NaiveStore {
  record Row(long main, int sub, Bytes key, boolean tombstone, long created, long version, Bytes value, long lease) {
    byte[] record() {
      return tombstone
          ? StoredKv.encode(key.array(), 0, 0, 0, new byte[0], 0)
          : StoredKv.encode(key.array(), created, main, version, value.array(), lease);
    }
  }

  final List<Row> rows = new ArrayList<>();
  long current = 1;
  long compacted = -1;

  /// The row in force for each key at `rev`, tombstones included.
  private TreeMap<Bytes, Row> newest(long rev) {
    TreeMap<Bytes, Row> newest = new TreeMap<>();
    for (Row row : rows) {
      if (row.main() <= rev) {
        newest.put(row.key(), row);
      }
    }
    return newest;
  }

  List<Row> live(KeyRange range, long rev) {
    List<Row> live = new ArrayList<>();
    newest(rev).forEach(
        (key, row) -> {
          if (!row.tombstone() && range.contains(key)) {
            live.add(row);
          }
        });
    return live;
  }

  @Nullable Row get(Bytes key, long rev) {
    Row found = newest(rev).get(key);
    return found == null || found.tombstone() ? null : found;
  }

  void put(long main, int sub, Bytes key, Bytes value, long lease) {
    Row before = get(key, Long.MAX_VALUE);
    rows.add(
        before == null
            ? new Row(main, sub, key, false, main, 1, value, lease)
            : new Row(main, sub, key, false, before.created(), before.version() + 1, value, lease));
  }

  int deleteRange(long main, int sub, KeyRange range) {
    int next = sub;
    for (Row row : live(range, Long.MAX_VALUE)) {
      rows.add(new Row(main, next++, row.key(), true, 0, 0, Bytes.EMPTY, 0));
    }
    return next - sub;
  }

  /// By backend-schema §9 word by word, over a file that holds every row of `present`.
  int hash(long rev, long compactRev, @Nullable Set<Revision> present) {
    Set<Revision> keep = keep(rev, false);
    CRC32C crc = new CRC32C();
    crc.update("key".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    for (Row row : rows) {
      Revision revision = new Revision(row.main(), row.sub());
      boolean gone = present != null && !present.contains(revision);
      boolean dropped = row.main() <= compactRev && !keep.isEmpty() && !keep.contains(revision);
      if (gone || row.main() > rev || dropped || row.main() == compactRev && row.tombstone()) {
        continue;
      }
      crc.update(RevisionKey.encode(row.main(), row.sub(), row.tombstone()));
      crc.update(row.record());
    }
    return (int) crc.getValue();
  }

  Set<Revision> keep(long rev, boolean withTombstones) {
    Set<Revision> keep = new HashSet<>();
    for (Row row : newest(rev).values()) {
      if (!row.tombstone() || withTombstones && row.main() == rev) {
        keep.add(new Revision(row.main(), row.sub()));
      }
    }
    return keep;
  }

  TreeSet<Bytes> keys() {
    TreeSet<Bytes> keys = new TreeSet<>();
    rows.forEach(row -> keys.add(row.key()));
    return keys;
  }
}
