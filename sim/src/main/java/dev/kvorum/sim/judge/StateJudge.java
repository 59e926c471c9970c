package dev.kvorum.sim.judge;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.MetaKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// *Equal state*, of whole databases: files that hold all of the log up to the same entry have the same records, in
/// every bucket, whosever they are and however they came to be.
///
/// Two things are each member's own: when it gets to carry out a compaction, so that keys are compared where none is
/// left to do, and how new its storage's version is.
public final class StateJudge {
  private static final Path FILE = Path.of("/judge/db");
  private static final Set<Bytes> OWN = Set.of(MetaKey.FINISHED_COMPACT_REV, MetaKey.STORAGE_VERSION);

  private final BiConsumer<String, String> found;

  /// By applied index and bucket: what the first file with it held.
  private final Map<Long, Map<BucketName, Held>> known = new HashMap<>();

  private long compared;

  /// @param hash of all records
  private record Held(int records, int hash, String by) {}

  /// @param found hears the promise that was broken, and how
  public StateJudge(BiConsumer<String, String> found) {
    this.found = found;
  }

  /// `by` has a file with these bytes.
  ///
  /// @return the entry up to which it holds everything; 0 where it has none yet
  /// @throws IOException where it does not open: that is for others to judge
  public long holds(String by, byte[] database) throws IOException {
    SimDisk disk = new SimDisk();
    disk.store(FILE, database);
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      Bucket meta = bucket(tx, BucketName.META);
      byte[] index = meta == null ? null : meta.get(MetaKey.CONSISTENT_INDEX.array());
      if (meta == null || index == null) {
        return 0;
      }
      boolean compacts = !Arrays.equals(
          meta.get(MetaKey.SCHEDULED_COMPACT_REV.array()), meta.get(MetaKey.FINISHED_COMPACT_REV.array()));
      long applied = ByteBuffer.wrap(index).getLong();
      for (BucketName name : BucketName.values()) {
        if (!(compacts && name == BucketName.KEY)) {
          compare(applied, name, held(bucket(tx, name), by));
        }
      }
      return applied;
    }
  }

  /// How often two files of the same entry were held against each other, bucket by bucket.
  public long compared() {
    return compared;
  }

  private static @Nullable Bucket bucket(ReadTx tx, BucketName name) throws IOException {
    return tx.bucket(Bytes.utf8(name.text()).array());
  }

  private static Held held(@Nullable Bucket bucket, String by) throws IOException {
    CRC32C hash = new CRC32C();
    int records = 0;
    if (bucket != null) {
      Cursor cursor = bucket.cursor();
      for (boolean more = cursor.first(); more; more = cursor.next()) {
        byte[] key = cursor.key();
        if (!OWN.contains(Bytes.wrap(key))) {
          byte[] value = cursor.value();
          hash.update(ByteBuffer.allocate(8).putInt(key.length).putInt(value.length).flip());
          hash.update(key);
          hash.update(value);
          records++;
        }
      }
    }
    return new Held(records, (int) hash.getValue(), by);
  }

  private void compare(long applied, BucketName name, Held now) {
    Held first = known.computeIfAbsent(applied, none -> new TreeMap<>()).putIfAbsent(name, now);
    if (first == null) {
      return;
    }
    compared++;
    if (first.hash != now.hash || first.records != now.records) {
      found.accept(
          "equal state",
          "after entry %d the bucket %s has %d records (hash %x) in %s, %d (%x) in %s"
              .formatted(applied, name.text(), now.records, now.hash, now.by, first.records, first.hash, first.by));
    }
  }
}
