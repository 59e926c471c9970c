package dev.kvorum.member.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntervalTreeTest {
  private record Range(byte[] begin, byte[] end, int id) {
    boolean holds(byte[] key) {
      return Arrays.compareUnsigned(begin, key) <= 0 && (end == null || Arrays.compareUnsigned(key, end) < 0);
    }
  }

  @Test
  void aKeyFindsExactlyTheRangesThatHoldIt() {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    System.out.println("IntervalTreeTest seed " + seed);
    Random random = new Random(seed);
    IntervalTree<Integer> tree = new IntervalTree<>();
    List<Range> model = new ArrayList<>();
    for (int step = 0; step < 5_000; step++) {
      if (model.isEmpty() || random.nextInt(3) > 0) {
        byte[] a = key(random);
        byte[] b = random.nextInt(10) == 0 ? null : key(random);
        if (b != null && Arrays.compareUnsigned(a, b) >= 0) {
          continue;
        }
        Range range = new Range(a, b, step);
        model.add(range);
        tree.add(a, b, range.id());
      } else {
        Range gone = model.remove(random.nextInt(model.size()));
        assertThat(tree.remove(gone.begin(), gone.end(), gone.id())).isTrue();
        assertThat(tree.remove(gone.begin(), gone.end(), gone.id())).isFalse();
      }
      byte[] probe = key(random);
      List<Integer> found = new ArrayList<>();
      tree.visit(probe, found::add);
      assertThat(found)
          .as("seed %d step %d", seed, step)
          .containsExactlyInAnyOrderElementsOf(
              model.stream().filter(range -> range.holds(probe)).map(Range::id).toList());
    }
  }

  private static byte[] key(Random random) {
    return Integer.toString(random.nextInt(200), 7).getBytes(StandardCharsets.UTF_8);
  }
}
