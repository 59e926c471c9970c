package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KeyIndexTest {
  private static final int ROUNDS = 12;

  /// A published tree and what it must say for ever.
  private record Published(IndexView view, TreeMap<Bytes, Long> live) {}

  @Test
  void publishedTreesNeverChangeWhileTheIndexDoes() {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < ROUNDS; round++) {
      try {
        run(random, 1 + random.nextInt(4000), 1 + random.nextInt(7));
      } catch (Throwable e) {
        throw new AssertionError("rerun with -Dkvorum.seed=" + seed, e);
      }
    }
  }

  private static Bytes key(Random random, int keys, int shape) {
    int n = random.nextInt(keys);
    return switch (shape) {
      case 1 -> Bytes.utf8("/registry/pods/default/pod-" + n);
      case 2 -> Bytes.wrap(new byte[n % 40]);
      case 3 -> Bytes.wrap(new byte[] {(byte) n, (byte) (n >>> 8), (byte) (n >>> 16)});
      case 4 -> Bytes.utf8("a".repeat(n % 7) + n % 11);
      case 5 -> Bytes.utf8((n % 2 == 0 ? "/a/long/shared/prefix/" : "/b/") + n * 31L);
      case 6 -> Bytes.utf8("l".repeat(n % 5 * 700) + n % 301);
      default -> Bytes.utf8(String.valueOf(n));
    };
  }

  private void run(Random random, int keys, int shape) {
    KeyIndex index = new KeyIndex();
    TreeMap<Bytes, Long> live = new TreeMap<>();
    List<Published> published = new ArrayList<>();
    long main = 1;
    for (int step = 0; step < 3 * keys; step++) {
      Bytes key = key(random, keys, shape);
      main += random.nextInt(500) == 0 ? 1L << random.nextInt(40) : 1;
      int sub = random.nextInt(300) == 0 ? random.nextInt() >>> 1 : 0;
      if (live.containsKey(key) && random.nextInt(3) == 0) {
        index.tombstone(key.array(), main, sub);
        live.remove(key);
      } else {
        index.put(key.array(), main, sub);
        live.put(key, main);
      }
      if (random.nextInt(200) == 0) {
        published.add(new Published(index.view(), new TreeMap<>(live)));
      }
      if (random.nextInt(1500) == 0) {
        compact(index, main - random.nextInt(50));
      }
    }
    index.checkInvariants();
    published.add(new Published(index.view(), live));
    published.forEach(then -> check(random, then, keys, shape));
  }

  private static void compact(KeyIndex index, long rev) {
    for (byte[] next = new byte[0]; next != null; ) {
      next = index.compactLeaf(next, rev);
    }
    index.checkInvariants();
  }

  private static void check(Random random, Published then, int keys, int shape) {
    then.view().checkInvariants();
    assertThat(then.view().countLatest(KeyRange.from(Bytes.EMPTY))).isEqualTo(then.live().size());
    for (int i = 0; i < 20; i++) {
      Bytes low = key(random, keys, shape);
      Bytes high = key(random, keys, shape);
      KeyRange range = random.nextInt(4) == 0 ? KeyRange.from(low) : KeyRange.range(low, high);
      Map<Bytes, Long> expected =
          range.isEmpty()
              ? Map.of()
              : range.end() == null ? then.live().tailMap(low, true) : then.live().subMap(low, true, high, false);
      assertThat(then.view().countLatest(range)).isEqualTo(expected.size());
      TreeMap<Bytes, Long> found = new TreeMap<>();
      IndexView.Walk walk = then.view().walk(range);
      while (walk.next()) {
        if (walk.isLive()) {
          found.put(Bytes.wrap(walk.key()), walk.entry().main());
        }
      }
      assertThat(found).isEqualTo(expected);
      KeyEntry entry = then.view().find(low.array());
      assertThat(entry == null || !entry.isLive() ? null : entry.main()).isEqualTo(then.live().get(low));
    }
  }

  /// A tree loaded in bulk says what the one it was read from says, and goes on from there.
  @Test
  void aLoadedIndexIsLikeOneThatGrew() {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int keys : new int[] {0, 1, 28, 29, 1000, 5000}) {
      KeyIndex grown = new KeyIndex();
      for (int i = 0; i < keys; i++) {
        grown.put(key(random, keys, 1 + random.nextInt(6)).array(), i + 2, 0);
      }
      KeyIndex loaded = KeyIndex.of(sourceOf(grown.view().walk(KeyRange.from(Bytes.EMPTY))));
      loaded.checkInvariants();
      assertThat(loaded.keyCount()).as("seed " + seed).isEqualTo(grown.keyCount());
      IndexView.Walk walk = loaded.view().walk(KeyRange.from(Bytes.EMPTY));
      IndexView.Walk expected = grown.view().walk(KeyRange.from(Bytes.EMPTY));
      while (expected.next()) {
        assertThat(walk.next()).isTrue();
        assertThat(walk.key()).isEqualTo(expected.key());
        assertThat(walk.entry().main()).isEqualTo(expected.entry().main());
      }
      assertThat(walk.next()).isFalse();
      for (int i = 0; i < 500; i++) {
        loaded.put(key(random, 2000, 1 + random.nextInt(6)).array(), keys + i + 2, 0);
      }
      loaded.checkInvariants();
    }
  }

  private static KeyIndexLoader.Source sourceOf(IndexView.Walk walk) {
    return new KeyIndexLoader.Source() {
      @Override
      public boolean next() {
        return walk.next();
      }

      @Override
      public byte[] key() {
        return walk.key();
      }

      @Override
      public KeyEntry entry() {
        return walk.entry();
      }
    };
  }

  /// A million keys of a usual shape must not cost more than their ends and a few numbers.
  @Test
  void keysOfAUsualShapeTakeAFewDozenBytes() {
    long perKey = bytesPerKey(i -> "/registry/pods/ns-%03d/pod-%08d".formatted(i % 50, i));
    assertThat(perKey).isLessThan(30);
    assertThat(bytesPerKey(i -> "/registry/events/default/%016x".formatted(i * 0x9e3779b97f4a7c15L))).isLessThan(40);
  }

  private static long bytesPerKey(java.util.function.LongFunction<String> name) {
    int keys = 20_000;
    KeyIndex index = new KeyIndex();
    for (int i = 0; i < keys; i++) {
      index.put(Bytes.utf8(name.apply(i)).array(), i + 2, 0);
    }
    return index.heapBytes() / keys;
  }

  @Test
  void anEmptyIntervalHasNoKeys() {
    KeyIndex index = new KeyIndex();
    index.put(Bytes.utf8("b").array(), 2, 0);
    KeyRange empty = KeyRange.range(Bytes.utf8("c"), Bytes.utf8("a"));
    assertThat(index.view().countLatest(empty)).isZero();
    assertThat(index.view().walk(empty).next()).isFalse();
  }

  @Test
  void anIndexCompactedToNothingIsEmptyAndUsable() {
    KeyIndex index = new KeyIndex();
    for (int i = 0; i < 1000; i++) {
      index.put(Bytes.utf8("k" + i).array(), i + 2, 0);
    }
    IndexView before = index.view();
    for (int i = 0; i < 1000; i++) {
      index.tombstone(Bytes.utf8("k" + i).array(), 1002, i);
    }
    compact(index, 1003);
    assertThat(index.keyCount()).isZero();
    assertThat(index.view().walk(KeyRange.all()).next()).isFalse();
    assertThat(before.countLatest(KeyRange.all())).isEqualTo(1000);
    index.put(Bytes.utf8("again").array(), 1004, 0);
    assertThat(index.view().countLatest(KeyRange.all())).isEqualTo(1);
    index.checkInvariants();
  }
}
