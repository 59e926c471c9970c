package dev.kvorum.bolt;

import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.SplittableRandom;

/// What free pages cost at 100,000, a million and ten million of them, fragmented: the program behind the row of
/// docs/PERFORMANCE.md. No argument; needs 1 GB of memory at the most.
public final class FreelistBenchmark {
  private static final int OPERATIONS = 1_000_000;

  private FreelistBenchmark() {}

  public static void main(String[] args) {
    run(100_000); // warms up
    for (int count : new int[] {100_000, 1_000_000, 10_000_000}) {
      run(count);
    }
  }

  private static void run(int count) {
    FreePages free = new FreePages();
    double add = cpuMicros(() -> {
      for (long id = 2; id < 2L * count; id += 2) {
        free.add(id);
      }
      for (long id = 2L * count; id < 2L * count + 100_000; id++) {
        free.add(id);
      }
    }) / count;
    double first = cpuMicros(() -> free.take(2));
    double one = cpuMicros(() -> churn(free, 1)) / OPERATIONS;
    double several = cpuMicros(() -> churn(free, 20)) / OPERATIONS;
    double pass = cpuMicros(() -> pass(count)) / count;
    System.out.printf(
        "%,12d free pages: add %.3f us, first search for a run %.0f us, take and give back one %.3f us, up to 20 in a"
            + " row %.3f us, pend and release %.3f us each%n",
        count, add, first, one, several, pass);
  }

  private static void churn(FreePages free, int most) {
    SplittableRandom random = new SplittableRandom(most);
    ArrayDeque<long[]> taken = new ArrayDeque<>();
    for (int i = 0; i < OPERATIONS; i++) {
      int n = random.nextInt(1, most + 1);
      long id = free.take(n);
      taken.add(new long[] {id, n});
      if (taken.size() > 1000) {
        giveBack(free, taken.remove());
      }
    }
    taken.forEach(back -> giveBack(free, back));
  }

  private static void giveBack(FreePages free, long[] run) {
    for (long p = run[0]; p < run[0] + run[1]; p++) {
      free.add(p);
    }
  }

  /// One page in two is freed while a reader is open, in a thousand transactions; then the reader goes.
  private static void pass(int count) {
    PendingPages pending = new PendingPages();
    FreePages free = new FreePages();
    for (long txid = 2; txid < 1002; txid++) {
      pending.release(new long[] {1, txid - 1}, free);
      PageRuns runs = new PageRuns();
      for (long id = txid; id < 2L * count; id += 2000) {
        runs.add(id, 1);
      }
      pending.admit(runs);
      pending.committed(txid, runs, new PageRuns(), true);
    }
    pending.release(new long[] {1001}, free);
  }

  private static double cpuMicros(Runnable work) {
    var threads = ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadCpuTime();
    work.run();
    return (threads.getCurrentThreadCpuTime() - before) / 1e3;
  }
}
