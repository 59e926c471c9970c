package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import java.util.SplittableRandom;

/// Random changes made to a database and to its model alike: puts, overwrites, deletes by key and by cursor, nested
/// buckets made and removed, sequences, empty values, values of several pages, keys up to the longest.
final class RandomChanges {
  private static final int BUCKETS = 3;

  private final SplittableRandom random;
  private final int keySpace;
  private final int valueBytesMax;

  /// @param keySpace how many different keys there are to a bucket
  /// @param valueBytesMax of the rare large ones
  RandomChanges(SplittableRandom random, int keySpace, int valueBytesMax) {
    this.random = random;
    this.keySpace = keySpace;
    this.valueBytesMax = valueBytesMax;
  }

  /// About so many changes at the most.
  void make(WriteTx tx, Contents model, int operations) throws Exception {
    for (int i = 0; i < BUCKETS; i++) {
      byte[] name = {(byte) 'b', (byte) i};
      Bytes key = Bytes.wrap(name);
      if (random.nextInt(12) == 0) {
        assertThat(tx.deleteBucket(name)).isEqualTo(model.nested.remove(key) != null);
      }
      if (random.nextInt(3) > 0) {
        Bucket bucket = tx.createBucketIfAbsent(name);
        Contents inner = model.nested.computeIfAbsent(key, k -> new Contents());
        change(bucket, inner, random.nextInt(operations + 1), 2);
      }
    }
  }

  private void change(Bucket bucket, Contents model, int operations, int depth) throws Exception {
    int deletes = random.nextInt(1, 10);
    if (random.nextBoolean()) {
      bucket.fillPercent(random.nextDouble());
    }
    boolean ascending = random.nextInt(4) == 0;
    for (int i = 0; i < operations; i++) {
      byte[] key = ascending ? numbered(i) : key();
      Bytes k = Bytes.wrap(key);
      if (model.nested.containsKey(k)) {
        if (random.nextInt(10) == 0) {
          bucket.deleteBucket(key);
          model.nested.remove(k);
        }
      } else if (random.nextInt(10) < deletes) {
        assertThat(bucket.delete(key)).isEqualTo(model.values.remove(k) != null);
      } else {
        byte[] value = value();
        bucket.put(key, value);
        model.values.put(k, Bytes.wrap(value));
      }
    }
    if (random.nextInt(4) == 0) {
      scanAndDelete(bucket, model);
    }
    if (random.nextInt(3) == 0) {
      model.sequence = random.nextLong();
      bucket.setSequence(model.sequence);
    }
    if (depth > 0 && random.nextInt(2) == 0) {
      byte[] name = key();
      if (!model.values.containsKey(Bytes.wrap(name))) {
        Bucket nested = bucket.createBucketIfAbsent(name);
        Contents inner = model.nested.computeIfAbsent(Bytes.wrap(name), k -> new Contents());
        change(nested, inner, random.nextInt(operations + 1), depth - 1);
      }
    }
  }

  private void scanAndDelete(Bucket bucket, Contents model) throws Exception {
    Cursor cursor = bucket.cursor();
    boolean forward = random.nextBoolean();
    for (boolean on = forward ? cursor.first() : cursor.last(); on; on = forward ? cursor.next() : cursor.previous()) {
      if (!cursor.isBucket() && random.nextInt(3) == 0) {
        model.values.remove(Bytes.wrap(cursor.key()));
        cursor.delete();
      }
    }
  }

  private static byte[] numbered(int i) {
    return new byte[] {'n', (byte) (i >>> 8), (byte) i};
  }

  /// One of the key space; one in 500 of them is as long as keys may be.
  byte[] key() {
    int n = random.nextInt(keySpace);
    byte[] key = new byte[n % 500 == 499 ? Bucket.KEY_BYTES_MAX - n % 3 : 1 + n % 23];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (n * 0x9E3779B9 >>> i % 24);
    }
    key[0] = (byte) n;
    return key;
  }

  private byte[] value() {
    int kind = random.nextInt(100);
    int length = kind < 10 ? 0
        : kind < 70 ? random.nextInt(60)
        : kind < 90 ? random.nextInt(600)
        : kind < 98 ? random.nextInt(900, 3000)
        : random.nextInt(valueBytesMax);
    byte[] value = new byte[length];
    random.nextBytes(value);
    return value;
  }
}
