package dev.kvorum.bolt;

import dev.kvorum.env.RealDisk;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// Where we stand against design.md's row for bolt. A program, not a test:
/// `java -cp … dev.kvorum.bolt.BoltBenchmark FILE [commits]`, where FILE does not exist yet.
public final class BoltBenchmark {
  private static final int PUTS_PER_COMMIT = 10_000;
  private static final int VALUE_BYTES = 256;
  private static final byte[] NAME = "key".getBytes();

  private BoltBenchmark() {}

  public static void main(String[] args) throws Exception {
    int commits = args.length > 1 ? Integer.parseInt(args[1]) : 100;
    try (Bolt bolt = Bolt.open(new RealDisk(), Path.of(args[0]), BoltOptions.defaults())) {
      for (int i = 0; i < 5; i++) {
        long puts = (long) commits / 5 * PUTS_PER_COMMIT;
        long from = i * puts;
        report("sequential put", puts, () -> putSequential(bolt, from, puts));
      }
      long keys = (long) commits / 5 * 5 * PUTS_PER_COMMIT;
      for (int i = 0; i < 5; i++) {
        report("point get", 500_000, () -> getRandom(bolt, keys, 500_000));
      }
      for (int i = 0; i < 5; i++) {
        report("scan of 1000 (segments)", 5_000, () -> scan(bolt, keys, 5_000, false));
      }
      for (int i = 0; i < 5; i++) {
        report("scan of 1000 (copies)", 5_000, () -> scan(bolt, keys, 5_000, true));
      }
      for (int i = 0; i < 3; i++) {
        report("random overwrite, 10000 per commit", 100_000, () -> overwriteRandom(bolt, keys, 100_000));
      }
      for (int i = 0; i < 3; i++) {
        long at = i * 100_000L;
        report("delete ascending, 1000 per commit", 100_000, () -> deleteAscending(bolt, at, 100_000));
      }
      System.out.println(bolt.stats());
    }
    long[] pages = new long[1];
    report("open and find free pages", 1, () -> {
      try (Bolt bolt = Bolt.open(new RealDisk(), Path.of(args[0]), BoltOptions.defaults())) {
        pages[0] = bolt.stats().pageCount();
      }
    });
    System.out.println(pages[0] + " pages");
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void report(String what, long count, Work work) throws Exception {
    var threads = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpu = threads.getProcessCpuTime();
    long start = System.nanoTime();
    work.run();
    double wall = System.nanoTime() - start;
    double used = threads.getProcessCpuTime() - cpu;
    System.out.printf("%-36s %8.3f us each, %8.3f us CPU each, %9.0f/s%n",
        what, wall / count / 1e3, used / count / 1e3, count / wall * 1e9);
  }

  private static byte[] key(long n) {
    return ByteBuffer.allocate(17).putLong(n).put((byte) '_').putLong(0).array();
  }

  private static void putSequential(Bolt bolt, long from, long puts) throws Exception {
    byte[] value = new byte[VALUE_BYTES];
    new SplittableRandom(from).nextBytes(value);
    for (long n = from; n < from + puts; ) {
      try (WriteTx tx = bolt.beginWrite()) {
        Bucket bucket = tx.createBucketIfAbsent(NAME);
        bucket.fillPercent(0.9);
        for (int i = 0; i < PUTS_PER_COMMIT; i++, n++) {
          bucket.put(key(n), value);
        }
        tx.commit();
      }
    }
  }

  private static void getRandom(Bolt bolt, long keys, int gets) throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    try (ReadTx tx = bolt.beginRead()) {
      Bucket bucket = tx.bucket(NAME);
      for (int i = 0; i < gets; i++) {
        byte[] value = bucket.get(key(random.nextLong(keys)));
        if (value == null || value.length != VALUE_BYTES) {
          throw new AssertionError("lost");
        }
      }
    }
  }

  private static void scan(Bolt bolt, long keys, int scans, boolean copying) throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    long sum = 0;
    try (ReadTx tx = bolt.beginRead()) {
      Cursor cursor = tx.bucket(NAME).cursor();
      for (int i = 0; i < scans; i++) {
        cursor.seek(key(random.nextLong(keys - 1000)));
        for (int j = 0; j < 1000; j++) {
          if (copying) {
            sum += cursor.key()[7] + cursor.value()[255];
          } else {
            sum += cursor.keySegment().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 7)
                + cursor.valueSegment().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 255);
          }
          cursor.next();
        }
      }
    }
    if (sum == 42) {
      System.out.println();
    }
  }

  private static void overwriteRandom(Bolt bolt, long keys, int puts) throws Exception {
    SplittableRandom random = new SplittableRandom(2);
    byte[] value = new byte[VALUE_BYTES];
    for (int n = 0; n < puts; ) {
      try (WriteTx tx = bolt.beginWrite()) {
        Bucket bucket = tx.bucket(NAME);
        for (int i = 0; i < PUTS_PER_COMMIT; i++, n++) {
          bucket.put(key(random.nextLong(keys)), value);
        }
        tx.commit();
      }
    }
  }

  private static void deleteAscending(Bolt bolt, long from, int deletes) throws Exception {
    for (long n = from; n < from + deletes; ) {
      try (WriteTx tx = bolt.beginWrite()) {
        Bucket bucket = tx.bucket(NAME);
        for (int i = 0; i < 1000; i++, n++) {
          bucket.delete(key(n));
        }
        tx.commit();
      }
    }
  }
}
