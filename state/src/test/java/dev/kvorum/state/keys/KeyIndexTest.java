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
        run(random, 1 + random.nextInt(4000), 1 + random.nextInt(6));
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
      main++;
      if (live.containsKey(key) && random.nextInt(3) == 0) {
        index.tombstone(key.array(), main, 0);
        live.remove(key);
      } else {
        index.put(key.array(), main, 0);
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
      for (KeyEntry entry = walk.next(); entry != null; entry = walk.next()) {
        if (entry.isLive()) {
          found.put(Bytes.wrap(entry.key), entry.main);
        }
      }
      assertThat(found).isEqualTo(expected);
      KeyEntry entry = then.view().find(low.array());
      assertThat(entry == null || !entry.isLive() ? null : entry.main).isEqualTo(then.live().get(low));
    }
  }

  @Test
  void anEmptyIntervalHasNoKeys() {
    KeyIndex index = new KeyIndex();
    index.put(Bytes.utf8("b").array(), 2, 0);
    KeyRange empty = KeyRange.range(Bytes.utf8("c"), Bytes.utf8("a"));
    assertThat(index.view().countLatest(empty)).isZero();
    assertThat(index.view().walk(empty).next()).isNull();
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
    assertThat(index.view().walk(KeyRange.all()).next()).isNull();
    assertThat(before.countLatest(KeyRange.all())).isEqualTo(1000);
    index.put(Bytes.utf8("again").array(), 1004, 0);
    assertThat(index.view().countLatest(KeyRange.all())).isEqualTo(1);
    index.checkInvariants();
  }
}
