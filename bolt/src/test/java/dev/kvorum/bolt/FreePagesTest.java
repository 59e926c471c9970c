package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Free and pending pages against the obvious way to keep them.
class FreePagesTest {
  @Test
  void takesLowSinglePagesAndAnyRunThereIs() throws Exception {
    for (long seed : Seed.seeds(50)) {
      Seed.run(seed, FreePagesTest::takeAndAdd);
    }
  }

  private static void takeAndAdd(SplittableRandom random) {
    FreePages free = new FreePages();
    TreeSet<Long> model = new TreeSet<>();
    int space = 1 << random.nextInt(3, 16);
    long base = random.nextInt(4) == 0 ? random.nextLong(1L << 22) : 0;
    for (int step = 0; step < 2000; step++) {
      if (random.nextBoolean()) {
        long first = 2 + base + random.nextInt(space);
        for (long id = first; id < first + random.nextInt(1, 100); id++) {
          assertThat(free.add(id)).isEqualTo(model.add(id));
        }
      } else {
        int n = random.nextInt(3) == 0 ? 1 : random.nextInt(1, 150);
        long id = free.take(n);
        assertThat(id >= 0).isEqualTo(hasRun(model, n));
        for (long p = id; id >= 0 && p < id + n; p++) {
          assertThat(n == 1 ? model.first() == p : model.contains(p)).isTrue();
          model.remove(p);
        }
      }
      assertThat(free.size()).isEqualTo(model.size());
    }
    List<Long> left = new ArrayList<>();
    for (long id = free.next(0); id >= 0; id = free.next(id + 1)) {
      left.add(id);
    }
    assertThat(left).containsExactlyElementsOf(model);
  }

  private static boolean hasRun(TreeSet<Long> model, int n) {
    long run = 0;
    long last = -2;
    for (long id : model) {
      run = id == last + 1 ? run + 1 : 1;
      if (run >= n) {
        return true;
      }
      last = id;
    }
    return false;
  }

  private record Page(long id, long allocated, long freed) {}

  @Test
  void aPageIsFreeAsSoonAsNoStateInUseHasItAndNotBefore() throws Exception {
    for (long seed : Seed.seeds(200)) {
      Seed.run(seed, FreePagesTest::commitAndRead);
    }
  }

  private static void commitAndRead(SplittableRandom random) {
    PendingPages pending = new PendingPages();
    FreePages free = new FreePages();
    TreeMap<Long, Long> live = new TreeMap<>();
    List<Page> freed = new ArrayList<>();
    TreeSet<Long> read = new TreeSet<>();
    long nextId = 2;
    long newest = 1;
    for (int commit = 0; commit < 60; commit++) {
      TreeSet<Long> inUse = new TreeSet<>(read);
      inUse.add(newest);
      pending.release(inUse.stream().mapToLong(Long::longValue).toArray(), free);
      for (Page page : freed) {
        boolean seen = inUse.stream().anyMatch(state -> page.allocated <= state && state < page.freed);
        assertThat(free.contains(page.id)).as("%s in use %s", page, inUse).isEqualTo(!seen);
      }
      long txid = newest + 1;
      PageRuns freedRuns = new PageRuns();
      for (Long id : List.copyOf(live.keySet())) {
        if (random.nextInt(3) == 0) {
          freed.add(new Page(id, live.remove(id), txid));
          freedRuns.add(id, 1);
        }
      }
      PageRuns allocatedRuns = new PageRuns();
      for (int i = random.nextInt(6); i > 0; i--) {
        allocatedRuns.add(nextId, 1);
        live.put(nextId++, txid);
      }
      assertThat(pending.admit(freedRuns)).isEqualTo(-1);
      if (random.nextInt(3) > 0) {
        read.add(newest);
      }
      read.removeIf(state -> random.nextInt(4) == 0);
      pending.committed(txid, freedRuns, allocatedRuns, !read.isEmpty());
      newest = txid;
    }
  }

  /// With some older state always being read, tags are never cleared, and ids grow past what four bytes can tell apart.
  @Test
  void tagsOutliveFourBytesOfTransactions() {
    PageTags tags = new PageTags();
    tags.set(7, 1);
    tags.set(8, 2);
    tags.set(9, (1L << 31) + 5);
    tags.set(10, (1L << 31) + 6);
    assertThat(tags.remove(7)).isZero(); // not known any more: taken for old, which is safe
    assertThat(tags.remove(9)).isEqualTo((1L << 31) + 5);
    assertThat(tags.remove(10)).isEqualTo((1L << 31) + 6);
  }
}
