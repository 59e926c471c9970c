package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// What keeping free pages costs, counted and not timed: it must not grow with how many there are, how they lie, how
/// many are pinned, or for how long.
class FreeWorkTest {
  private static final int OPERATIONS = 20_000;

  /// Every other page free, and a run of `runLength` at the far end.
  private static FreePages fragmented(int count, int runLength) {
    FreePages free = new FreePages();
    for (long id = 2; id < 2L * count; id += 2) {
      free.add(id);
    }
    for (long id = 2L * count; id < 2L * count + runLength; id++) {
      free.add(id);
    }
    return free;
  }

  @Test
  void aRunIsFoundAmongTenMillionFragmentsAsFastAsAmongAHundredThousand() throws Exception {
    for (long seed : Seed.seeds(1)) {
      Seed.run(seed, random -> {
        double small = workPerOperation(new SplittableRandom(seed), 100_000);
        double medium = workPerOperation(new SplittableRandom(seed), 1_000_000);
        double large = workPerOperation(new SplittableRandom(seed), 10_000_000);
        System.out.printf(
            "nodes visited per operation at 100k, 1M, 10M free pages: %.1f %.1f %.1f%n", small, medium, large);
        assertThat(medium).isLessThan(400);
        assertThat(large).isLessThan(400);
      });
    }
  }

  /// Takes and gives back pages, one or several in a row, as a store does that overwrites values of several pages.
  private static double workPerOperation(SplittableRandom random, int count) {
    FreePages free = fragmented(count, 100_000);
    ArrayDeque<long[]> taken = new ArrayDeque<>();
    free.take(2); // the first search learns how the pages lie
    long before = free.nodesVisited();
    for (int i = 0; i < OPERATIONS; i++) {
      int n = random.nextInt(1, 40);
      long id = free.take(n);
      assertThat(id).isPositive();
      taken.add(new long[] {id, n});
      if (taken.size() > 1000) {
        long[] back = taken.remove();
        for (long p = back[0]; p < back[0] + back[1]; p++) {
          free.add(p);
        }
      }
    }
    return (double) (free.nodesVisited() - before) / OPERATIONS;
  }

  @Test
  void aRunThatIsNowhereIsKnownToBeNowhere() {
    FreePages free = fragmented(10_000_000, 1);
    assertThat(free.take(3)).isEqualTo(-1);
    long before = free.nodesVisited();
    for (int i = 0; i < OPERATIONS; i++) {
      assertThat(free.take(2 + i % 50)).isEqualTo(-1);
      free.add(free.take(1));
    }
    assertThat((free.nodesVisited() - before) / OPERATIONS).isLessThan(1000);
  }

  /// A reader stays at state 1 through 20,000 commits, each of which replaces some pages of that state and some newer
  /// ones; younger readers come and go.
  @Test
  void aReleaseCostsWhatItFreesAndNotWhatIsPinned() {
    SplittableRandom random = new SplittableRandom(7);
    PendingPages pending = new PendingPages();
    FreePages free = new FreePages();
    ArrayDeque<Long> live = new ArrayDeque<>();
    long nextId = 2;
    for (; nextId < 100_002; nextId++) {
      live.add(nextId);
    }
    long freed = 0;
    long recent = 1;
    for (long txid = 2; txid < OPERATIONS; txid++) {
      pending.release(recent == 1 ? new long[] {1, txid - 1} : new long[] {1, recent, txid - 1}, free);
      PageRuns freedRuns = new PageRuns();
      PageRuns allocated = new PageRuns();
      for (int i = 0; i < 10; i++) {
        freedRuns.add(random.nextBoolean() ? live.removeFirst() : live.removeLast(), 1);
      }
      for (int i = 0; i < 10; i++) {
        long id = free.size() > 0 ? free.take(1) : nextId++;
        allocated.add(id, 1);
        live.addLast(id);
      }
      freed += freedRuns.count();
      assertThat(pending.admit(freedRuns)).isEqualTo(-1);
      pending.committed(txid, freedRuns, allocated, true);
      recent = txid % 7 == 0 ? txid - 1 : recent;
    }
    assertThat(pending.size()).isGreaterThan(80_000); // all that state 1 has, less what is still live
    assertThat(pending.size()).isLessThan(101_000);
    assertThat(pending.runsVisited()).isLessThan(3 * freed);
    pending.release(new long[] {OPERATIONS - 1}, free);
    assertThat(pending.size()).isZero();
  }
}
