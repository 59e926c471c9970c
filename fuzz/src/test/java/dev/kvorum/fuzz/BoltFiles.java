package dev.kvorum.fuzz;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.WriteTx;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// Small valid bolt files of every kind of page, and the checksum of a meta page, so that damage gets past it.
final class BoltFiles {
  static final Path PATH = Path.of("/fuzz/db");
  static final int META_AT = 16;

  private static final int CHECKED_BYTES = 56;

  private BoltFiles() {}

  /// Writes one commit.
  private interface Change {
    void make(WriteTx tx, SplittableRandom random) throws IOException;
  }

  static List<byte[]> all() throws IOException {
    List<byte[]> files = new ArrayList<>();
    files.add(file(1024, false, BoltFiles::smallBuckets));
    files.add(file(1024, true, BoltFiles::smallBuckets));
    files.add(file(1024, false, BoltFiles::nested, BoltFiles::smallBuckets));
    files.add(file(1024, true, BoltFiles::manyKeys, BoltFiles::deletions));
    files.add(file(1024, false, BoltFiles::manyKeys, BoltFiles::nested, BoltFiles::deletions));
    files.add(file(1024, false, BoltFiles::largeValues));
    files.add(file(1024, true, BoltFiles::largeValues, BoltFiles::largeValues, BoltFiles::deletions));
    files.add(file(4096, false, BoltFiles::nested));
    return files;
  }

  /// @return the file, cut behind its last page
  private static byte[] file(int pageSize, boolean syncFreelist, Change... changes) throws IOException {
    MemoryDisk disk = new MemoryDisk();
    SplittableRandom random = new SplittableRandom(pageSize + changes.length);
    long bytes = 0;
    try (Bolt bolt = Bolt.open(disk, PATH, options(pageSize).withSyncFreelist(syncFreelist))) {
      for (Change change : changes) {
        try (WriteTx tx = bolt.beginWrite()) {
          change.make(tx, random);
          tx.commit();
        }
      }
      try (ReadTx tx = bolt.beginRead()) {
        bytes = tx.sizeBytes();
      }
    }
    return Arrays.copyOf(disk.get(PATH), (int) bytes);
  }

  static BoltOptions options(int pageSize) {
    return BoltOptions.defaults().withInitialMapBytes(0).withPageSize(pageSize);
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void smallBuckets(WriteTx tx, SplittableRandom random) throws IOException {
    for (String name : List.of("auth", "key", "meta")) {
      Bucket bucket = tx.createBucketIfAbsent(utf8(name));
      for (int i = 0; i < 4; i++) {
        bucket.put(utf8(name + i), utf8("value " + random.nextInt(1000)));
      }
      bucket.setSequence(7);
    }
  }

  private static void nested(WriteTx tx, SplittableRandom random) throws IOException {
    Bucket bucket = tx.createBucketIfAbsent(utf8("nest"));
    for (int depth = 0; depth < 4; depth++) {
      for (int i = 0; i < 6; i++) {
        bucket.put(utf8("k" + depth + i), new byte[random.nextInt(120)]);
      }
      bucket.createBucketIfAbsent(utf8("inline" + depth)).put(utf8("a"), utf8("b"));
      bucket = bucket.createBucketIfAbsent(utf8("deeper"));
    }
  }

  private static void manyKeys(WriteTx tx, SplittableRandom random) throws IOException {
    Bucket bucket = tx.createBucketIfAbsent(utf8("key"));
    for (int i = 0; i < 160; i++) {
      byte[] key = ByteBuffer.allocate(17).putLong(i).put((byte) '_').putLong(0).array();
      bucket.put(key, new byte[20 + random.nextInt(40)]);
    }
  }

  private static void deletions(WriteTx tx, SplittableRandom random) throws IOException {
    Bucket bucket = tx.createBucketIfAbsent(utf8("key"));
    for (int i = 0; i < 160; i += 1 + random.nextInt(4)) {
      bucket.delete(ByteBuffer.allocate(17).putLong(i).put((byte) '_').putLong(0).array());
    }
    tx.createBucketIfAbsent(utf8("more")).put(utf8("x"), new byte[600]);
  }

  private static void largeValues(WriteTx tx, SplittableRandom random) throws IOException {
    Bucket bucket = tx.createBucketIfAbsent(utf8("large"));
    for (int i = 0; i < 3; i++) {
      bucket.put(utf8("v" + i), new byte[1500 + random.nextInt(2500)]);
    }
  }

  /// Makes the meta page that begins at `at` believable again: as bbolt sums it, FNV-1a over all before the sum.
  static void sealMeta(byte[] file, int at) {
    if (at < 0 || at + META_AT + CHECKED_BYTES + 8 > file.length) {
      return;
    }
    long sum = 0xCBF29CE484222325L;
    for (int i = at + META_AT; i < at + META_AT + CHECKED_BYTES; i++) {
      sum = (sum ^ (file[i] & 0xFF)) * 0x100000001B3L;
    }
    little(file).putLong(at + META_AT + CHECKED_BYTES, sum);
  }

  /// Seals both, the second being where the first says a page ends.
  static void sealMetas(byte[] file) {
    sealMeta(file, 0);
    if (file.length >= META_AT + CHECKED_BYTES) {
      int pageSize = little(file).getInt(META_AT + 8);
      sealMeta(file, pageSize > 0 && pageSize < file.length ? pageSize : 1024);
    }
  }

  static ByteBuffer little(byte[] file) {
    return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
  }
}
