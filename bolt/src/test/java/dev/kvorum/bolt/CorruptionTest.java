package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.env.sim.SimDisk;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Rotten pages end in a [CorruptionException]: not in another error, not in a hang.
class CorruptionTest {
  private static final Path FILE = Path.of("/db");
  private static final int PAGE = 1024;
  private static final byte[] NAME = {'b'};

  @Test
  void anyBytesOnAnyPageAreReadOrRefused() throws Exception {
    byte[] sound = database();
    for (long seed : Seed.seeds(150)) {
      Seed.run(seed, random -> {
        byte[] rotten = sound.clone();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
          rot(random, rotten);
        }
        SimDisk disk = new SimDisk();
        disk.store(FILE, rotten);
        use(disk, BoltOptions.reading(), random);
        use(disk, BoltOptions.defaults().withInitialMapBytes(0), random);
      });
    }
  }

  /// Else a scan would end early, or a search go astray, and keys be missing that nobody deleted.
  @Test
  void aRottenKeyIsRefusedAtOpening() throws Exception {
    int count = 4000;
    byte[] sound = numbered(count);
    for (long seed : Seed.seeds(300)) {
      Seed.run(seed, random -> {
        byte[] rotten = sound.clone();
        long number = random.nextInt(count - 1); // the last may rot upwards and stay the last
        List<Integer> places = placesOf(rotten, number);
        rotten[places.get(random.nextInt(places.size())) + random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
        SimDisk disk = new SimDisk();
        disk.store(FILE, rotten);
        try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.defaults().withInitialMapBytes(0)); ReadTx tx = bolt.beginRead()) {
          for (long i = 0; i < count; i++) { // it was in a page that is not in use any more
            assertThat(tx.bucket(NAME).get(eight(i))).as("key %d", i).isNotNull();
          }
        } catch (CorruptionException refused) {
          assertThat(refused).hasMessageContaining("/db at offset");
        }
      });
    }
  }

  /// One flipped bit can do that to a page of two elements.
  @Test
  void aLeafThatHasLostAllItsElementsIsRefusedAtOpening() throws Exception {
    int count = 200;
    byte[] sound = numbered(count);
    ByteBuffer pages = ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN);
    int refused = 0;
    for (int at = 2 * PAGE; at < sound.length; at += PAGE) {
      if (pages.getShort(at + 8) != Page.LEAF || pages.getShort(at + 10) < 2) {
        continue;
      }
      SimDisk disk = new SimDisk();
      disk.store(FILE, ByteBuffer.wrap(sound.clone()).order(ByteOrder.LITTLE_ENDIAN).putShort(at + 10, (short) 0).array());
      try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.defaults().withInitialMapBytes(0)); ReadTx tx = bolt.beginRead()) {
        for (long i = 0; i < count; i++) {
          assertThat(tx.bucket(NAME).get(eight(i))).as("key %d", i).isNotNull();
        }
      } catch (CorruptionException e) {
        refused++;
        try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
          assertThat(Checker.findings(tx)).as("what the checker finds").isNotEmpty();
        }
      }
    }
    assertThat(refused).isGreaterThan(3);
  }

  private static byte[] numbered(int count) throws Exception {
    SimDisk disk = new SimDisk();
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.defaults().withPageSize(PAGE).withInitialMapBytes(0));
        WriteTx tx = bolt.beginWrite()) {
      Bucket bucket = tx.createBucketIfAbsent(NAME);
      for (long i = 0; i < count; i++) {
        bucket.put(eight(i), new byte[] {-1});
      }
      tx.commit();
    }
    return disk.contents(FILE);
  }

  private static byte[] eight(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }

  /// In a leaf, and perhaps in branches.
  private static List<Integer> placesOf(byte[] bytes, long number) {
    ByteBuffer b = ByteBuffer.wrap(bytes);
    List<Integer> places = new ArrayList<>();
    for (int at = 2 * PAGE; at + Long.BYTES <= bytes.length; at++) {
      if (b.getLong(at) == number && at % PAGE >= Page.HEADER_BYTES && (number > 0xFF || b.get(at + Long.BYTES) == -1)) {
        places.add(at);
      }
    }
    return places;
  }

  private static byte[] database() throws Exception {
    SimDisk disk = new SimDisk();
    SplittableRandom random = new SplittableRandom(1);
    BoltOptions options = BoltOptions.defaults().withPageSize(PAGE).withInitialMapBytes(0).withSyncFreelist(true);
    try (Bolt bolt = Bolt.open(disk, FILE, options)) {
      for (int i = 0; i < 6; i++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(NAME);
          for (int j = 0; j < 500; j++) {
            bucket.put(new byte[] {(byte) random.nextInt(20), (byte) j}, new byte[random.nextInt(30)]);
          }
          bucket.put(new byte[] {(byte) i}, new byte[3000]);
          tx.createBucketIfAbsent(new byte[] {'i'}).put(NAME, NAME);
          bucket.createBucketIfAbsent(new byte[] {'n'}).put(new byte[] {(byte) i}, new byte[300]);
          tx.commit();
        }
      }
    }
    return disk.contents(FILE);
  }

  /// Bytes at random, or a field of a header or element set to a likely wrong value. Meta pages have checksums.
  private static void rot(SplittableRandom random, byte[] bytes) {
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int page = random.nextInt(2, bytes.length / PAGE) * PAGE;
    int numbers[] = {0, -1, 1, 2, 3, random.nextInt(200), random.nextInt(), Integer.MAX_VALUE, Integer.MIN_VALUE};
    int number = numbers[random.nextInt(numbers.length)];
    switch (random.nextInt(5)) {
      case 0 -> b.put(page + random.nextInt(PAGE), (byte) number);
      case 1 -> b.putShort(page + 8 + 2 * random.nextInt(2), (short) number);
      case 2 -> b.putInt(page + 4 * random.nextInt(4), number);
      case 3 -> b.putInt(page + 16 + 4 * random.nextInt(PAGE / 8), number);
      default -> System.arraycopy(bytes, random.nextInt(bytes.length / PAGE) * PAGE + 8, bytes, page + 8, PAGE - 8);
    }
  }

  private static void use(SimDisk disk, BoltOptions options, SplittableRandom random) throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, options)) {
      try (ReadTx tx = bolt.beginRead()) {
        Checker.findings(tx);
        walk(tx.root(), 0);
      }
      if (!options.readOnly()) {
        change(bolt, random);
      }
    } catch (InvariantViolation e) {
      // a flag has rotted such that a value of zeros is an empty bucket, and we treated it as a value
      assertThat(e).hasMessageContaining("where a bucket is");
    } catch (CorruptionException e) {
      assertThat(e.file()).isEqualTo(FILE);
      assertThat(e.offset()).isBetween(0L, 64L << 20);
    }
  }

  private static void walk(Bucket bucket, int depth) throws Exception {
    Cursor cursor = bucket.cursor();
    int steps = 0;
    while (steps++ < 10_000 && cursor.next()) {
      byte[] key = cursor.key();
      bucket.get(key);
      cursor.value();
      if (cursor.isBucket() && depth < 4) {
        Bucket inner = bucket.bucket(key);
        if (inner != null) {
          walk(inner, depth + 1);
        }
      }
    }
    while (steps++ < 10_000 && cursor.previous()) {
      cursor.valueSegment();
    }
  }

  private static void change(Bolt bolt, SplittableRandom random) throws Exception {
    for (int i = 0; i < 3; i++) {
      try (WriteTx tx = bolt.beginWrite()) {
        Bucket bucket = tx.createBucketIfAbsent(new byte[] {'c'});
        Bucket old = tx.bucket(NAME);
        for (int j = 0; j < 200; j++) {
          byte[] key = {(byte) random.nextInt(20), (byte) j};
          bucket.put(key, new byte[50]);
          if (old != null && random.nextBoolean()) {
            old.delete(key);
          } else if (old != null) {
            old.put(key, new byte[100]);
          }
        }
        if (i == 2) {
          tx.deleteBucket(NAME);
        }
        tx.commit();
      }
    }
  }
}
