package dev.kvorum.bolt;

import dev.kvorum.env.RealDisk;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// Ours.
final class BoltBenchmarkBolt implements BoltBenchmarkStore {
  private static final byte[] NAME = "key".getBytes();

  private Bolt bolt;
  private long sum;

  @Override
  public String name() {
    return "ours";
  }

  @Override
  public void open(Path file, boolean listed) throws Exception {
    bolt = Bolt.open(new RealDisk(), file, BoltOptions.defaults().withSyncFreelist(listed));
  }

  @Override
  public void close() throws Exception {
    bolt.close();
  }

  @Override
  public void put(BoltBenchmarkKeys.Source keys, int from, int to, byte[] value, boolean ascending) throws Exception {
    try (WriteTx tx = bolt.beginWrite()) {
      Bucket bucket = tx.createBucketIfAbsent(NAME);
      bucket.fillPercent(ascending ? 0.9 : 0.5);
      for (int n = from; n < to; n++) {
        bucket.put(keys.key(n), value);
      }
      tx.commit();
    }
  }

  @Override
  public void delete(BoltBenchmarkKeys.Source keys, int from, int to) throws Exception {
    try (WriteTx tx = bolt.beginWrite()) {
      Bucket bucket = tx.bucket(NAME);
      for (int n = from; n < to; n++) {
        bucket.delete(keys.key(n));
      }
      tx.commit();
    }
  }

  @Override
  public long get(BoltBenchmarkKeys.Source keys, int count, int gets) throws Exception {
    BoltBenchmarkKeys.Draws draws = new BoltBenchmarkKeys.Draws(1);
    long bytes = 0;
    try (ReadTx tx = bolt.beginRead()) {
      Bucket bucket = tx.bucket(NAME);
      for (int i = 0; i < gets; i++) {
        bytes += bucket.get(keys.key(draws.below(count))).length;
      }
    }
    return bytes;
  }

  @Override
  public long scan(BoltBenchmarkKeys.Source keys, int count, int scans) throws Exception {
    BoltBenchmarkKeys.Draws draws = new BoltBenchmarkKeys.Draws(2);
    sum = 0;
    try (ReadTx tx = bolt.beginRead()) {
      Cursor cursor = tx.bucket(NAME).cursor();
      for (int i = 0; i < scans; i++) {
        boolean on = cursor.seek(keys.key(draws.below(count)));
        for (int n = 0; on && n < 1000; n++) {
          look(cursor);
          on = cursor.next();
        }
      }
    }
    return sum;
  }

  @Override
  public int scanAll() throws Exception {
    int seen = 0;
    try (ReadTx tx = bolt.beginRead()) {
      Cursor cursor = tx.bucket(NAME).cursor();
      for (boolean on = cursor.first(); on; on = cursor.next()) {
        look(cursor);
        seen++;
      }
    }
    return seen;
  }

  private void look(Cursor cursor) {
    MemorySegment key = cursor.keySegment();
    MemorySegment value = cursor.valueSegment();
    sum += key.get(ValueLayout.JAVA_BYTE, key.byteSize() - 1)
        + value.get(ValueLayout.JAVA_BYTE, value.byteSize() - 1);
  }
}
