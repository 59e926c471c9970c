package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random operations against sorted maps, and everything checked after each commit.
class ModelTest {
  private static final int BUCKETS = 3;

  @TempDir Path directory;

  /// A bucket as it should be.
  private static final class Model {
    final TreeMap<Bytes, Bytes> values = new TreeMap<>();
    final TreeMap<Bytes, Model> nested = new TreeMap<>();
    long sequence;

    Model copy() {
      Model copy = new Model();
      copy.values.putAll(values);
      nested.forEach((name, model) -> copy.nested.put(name, model.copy()));
      copy.sequence = sequence;
      return copy;
    }
  }

  @Test
  void agreesWithSortedMapsAcrossCommitsRollbacksReadersAndReopening() throws Exception {
    for (long seed : Seed.seeds(6)) {
      Seed.run(seed, random -> {
        Path file = directory.resolve("model-" + Long.toHexString(seed));
        run(random, file, BoltOptions.defaults().withNoSync(true).withSyncFreelist(random.nextBoolean())
            .withPageSize(random.nextInt(4) == 0 ? 1024 : 4096)
            .withInitialMapBytes(random.nextBoolean() ? 0 : 1 << 30));
      });
    }
  }

  private record Held(ReadTx tx, Model model) {}

  private void run(SplittableRandom random, Path file, BoltOptions options) throws Exception {
    Bolt bolt = Bolt.open(new RealDisk(), file, options);
    Model committed = new Model();
    List<Held> held = new ArrayList<>();
    int keySpace = 1 << random.nextInt(4, 13);
    for (int round = 0; round < 60; round++) {
      WriteTx tx = bolt.beginWrite();
      Model changed = committed.copy();
      mutate(random, tx, changed, keySpace, 1 << random.nextInt(0, 11));
      verify(tx.root(), changed, random);
      if (random.nextInt(5) == 0) {
        tx.rollback();
      } else {
        tx.commit();
        committed = changed;
        BoltAudit.check(bolt);
      }
      try (ReadTx read = bolt.beginRead()) {
        verify(read.root(), committed, random);
        assertThat(Checker.findings(read)).isEmpty();
      }
      if (random.nextInt(3) == 0) {
        held.add(new Held(bolt.beginRead(), committed.copy()));
      }
      while (!held.isEmpty() && (held.size() > 4 || random.nextInt(4) == 0)) {
        Held old = held.remove(random.nextInt(held.size()));
        verify(old.tx.root(), old.model, random);
        assertThat(Checker.findings(old.tx)).isEmpty();
        old.tx.close();
      }
      if (random.nextInt(10) == 0) {
        for (Held old : held) {
          old.tx.close();
        }
        held.clear();
        bolt.close();
        bolt = Bolt.open(new RealDisk(), file, options.withSyncFreelist(random.nextBoolean()));
        BoltAudit.check(bolt);
      }
    }
    for (Held old : held) {
      old.tx.close();
    }
    bolt.close();
  }

  private static byte[] key(SplittableRandom random, int keySpace) {
    int n = random.nextInt(keySpace);
    byte[] key = new byte[1 + n % 23];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (n * 0x9E3779B9 >>> i % 24);
    }
    key[0] = (byte) n;
    return key;
  }

  private static byte[] value(SplittableRandom random) {
    int kind = random.nextInt(100);
    int length = kind < 10 ? 0
        : kind < 70 ? random.nextInt(60)
        : kind < 90 ? random.nextInt(600)
        : kind < 98 ? random.nextInt(900, 3000)
        : random.nextInt(20000);
    byte[] value = new byte[length];
    random.nextBytes(value);
    return value;
  }

  private static void mutate(SplittableRandom random, WriteTx tx, Model model, int keySpace, int operations)
      throws Exception {
    for (int i = 0; i < BUCKETS; i++) {
      byte[] name = {(byte) 'b', (byte) i};
      Bytes key = Bytes.wrap(name);
      if (random.nextInt(12) == 0) {
        assertThat(tx.deleteBucket(name)).isEqualTo(model.nested.remove(key) != null);
      }
      if (random.nextInt(3) > 0) {
        Bucket bucket = tx.createBucketIfAbsent(name);
        Model inner = model.nested.computeIfAbsent(key, k -> new Model());
        mutate(random, bucket, inner, keySpace, random.nextInt(operations + 1), 2);
      }
    }
  }

  private static void mutate(
      SplittableRandom random, Bucket bucket, Model model, int keySpace, int operations, int depth) throws Exception {
    int deletes = random.nextInt(1, 10);
    if (random.nextBoolean()) {
      bucket.fillPercent(random.nextDouble());
    }
    for (int i = 0; i < operations; i++) {
      byte[] key = key(random, keySpace);
      Bytes k = Bytes.wrap(key);
      if (model.nested.containsKey(k)) {
        if (random.nextInt(10) == 0) {
          bucket.deleteBucket(key);
          model.nested.remove(k);
        }
      } else if (random.nextInt(10) < deletes) {
        assertThat(bucket.delete(key)).isEqualTo(model.values.remove(k) != null);
      } else {
        byte[] value = value(random);
        bucket.put(key, value);
        model.values.put(k, Bytes.wrap(value));
      }
    }
    if (random.nextInt(4) == 0) {
      scanAndDelete(random, bucket, model);
    }
    if (random.nextInt(3) == 0) {
      model.sequence = random.nextLong();
      bucket.setSequence(model.sequence);
    }
    if (depth > 0 && random.nextInt(2) == 0) {
      byte[] name = key(random, keySpace);
      if (!model.values.containsKey(Bytes.wrap(name))) {
        Bucket nested = bucket.createBucketIfAbsent(name);
        Model inner = model.nested.computeIfAbsent(Bytes.wrap(name), k -> new Model());
        mutate(random, nested, inner, keySpace, random.nextInt(operations + 1), depth - 1);
      }
    }
  }

  private static void scanAndDelete(SplittableRandom random, Bucket bucket, Model model) throws Exception {
    Cursor cursor = bucket.cursor();
    boolean forward = random.nextBoolean();
    for (boolean on = forward ? cursor.first() : cursor.last(); on; on = forward ? cursor.next() : cursor.previous()) {
      if (!cursor.isBucket() && random.nextInt(3) == 0) {
        model.values.remove(Bytes.wrap(cursor.key()));
        cursor.delete();
      }
    }
  }

  private static void verify(Bucket bucket, Model model, SplittableRandom random) throws Exception {
    assertThat(bucket.sequence()).isEqualTo(model.sequence);
    TreeMap<Bytes, Bytes> all = new TreeMap<>(model.values);
    model.nested.keySet().forEach(name -> all.put(name, Bytes.EMPTY));
    Cursor cursor = bucket.cursor();
    for (Map.Entry<Bytes, Bytes> entry : all.entrySet()) {
      assertThat(cursor.next()).isTrue();
      verifyAt(bucket, model, cursor, entry);
    }
    assertThat(cursor.next()).isFalse();
    for (Map.Entry<Bytes, Bytes> entry : all.descendingMap().entrySet()) {
      assertThat(cursor.previous()).isTrue();
      assertThat(Bytes.wrap(cursor.key())).isEqualTo(entry.getKey());
    }
    assertThat(cursor.previous()).isFalse();
    verifySeeks(bucket, all, random);
    for (Map.Entry<Bytes, Model> nested : model.nested.entrySet()) {
      verify(bucket.bucket(nested.getKey().array()), nested.getValue(), random);
    }
  }

  private static void verifyAt(Bucket bucket, Model model, Cursor cursor, Map.Entry<Bytes, Bytes> entry)
      throws Exception {
    assertThat(Bytes.wrap(cursor.key())).isEqualTo(entry.getKey());
    assertThat(cursor.isBucket()).isEqualTo(model.nested.containsKey(entry.getKey()));
    if (cursor.isBucket()) {
      assertThat(bucket.get(entry.getKey().array())).isNull();
    } else {
      assertThat(cursor.value()).isEqualTo(entry.getValue().array());
      assertThat(bucket.get(entry.getKey().array())).isEqualTo(entry.getValue().array());
      assertThat(bucket.getSegment(entry.getKey().array()).byteSize()).isEqualTo(entry.getValue().size());
    }
  }

  private static void verifySeeks(Bucket bucket, NavigableMap<Bytes, Bytes> all, SplittableRandom random)
      throws Exception {
    Cursor cursor = bucket.cursor();
    for (int i = 0; i < 20; i++) {
      byte[] key = key(random, 8192);
      Bytes expected = all.ceilingKey(Bytes.wrap(key));
      assertThat(cursor.seek(key)).isEqualTo(expected != null);
      if (expected != null) {
        assertThat(Bytes.wrap(cursor.key())).isEqualTo(expected);
      }
      Bytes before = all.lowerKey(Bytes.wrap(key));
      assertThat(cursor.previous()).isEqualTo(before != null);
      if (before != null) {
        assertThat(Bytes.wrap(cursor.key())).isEqualTo(before);
      }
    }
  }
}
