package dev.kvorum.bolt;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/// Our bolt, or LMDB, doing what `interop/go/boltbench` does with bbolt: the rows of the table that `bench/bolt` makes.
/// A program, not a test:
///
/// ```
/// java -cp … dev.kvorum.bolt.BoltBenchmark ours|lmdb DIRECTORY KEYS
/// ```
///
/// One file is filled with KEYS ascending keys like etcd's revisions, another with a quarter as many random ones, all
/// with values of 256 bytes, and each commit is synced. All rows are run through twice before, unmeasured, with a fifth
/// of the keys but no fewer commits of few: the JIT compiler, the collector and the disk get to know what is to come.
///
/// A row is printed as engine, name, operations, wall nanoseconds, and nanoseconds of processor of the whole process,
/// compiler and collector included. Rows that change nothing are run and printed several times.
public final class BoltBenchmark {
  private static final int CLOCK_PROCESS_CPUTIME_ID = 2;
  private static final MethodHandle CLOCK_GETTIME = Linker.nativeLinker().downcallHandle(
      Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
  private static final MemorySegment TIME = Arena.global().allocate(MemoryLayout.sequenceLayout(2, ValueLayout.JAVA_LONG));

  private final BoltBenchmarkStore store;
  private final Path directory;
  private final int scale;
  private final int commits;
  private final boolean measured;
  private final byte[] value = BoltBenchmarkKeys.value();
  private long sum;

  /// @param scale keys of the larger file
  /// @param commits for each row of small commits
  private BoltBenchmark(BoltBenchmarkStore store, Path directory, int scale, int commits, boolean measured) {
    this.store = store;
    this.directory = directory;
    this.scale = scale;
    this.commits = commits;
    this.measured = measured;
  }

  public static void main(String[] args) throws Throwable {
    BoltBenchmarkStore store = args[0].equals("lmdb") ? new BoltBenchmarkLmdb() : new BoltBenchmarkBolt();
    Path directory = Path.of(args[1]);
    int keys = Integer.parseInt(args[2]);
    for (int i = 0; i < 2; i++) {
      new BoltBenchmark(store, directory, Math.max(keys / 5, 200_000), keys / 1000, false).run();
    }
    new BoltBenchmark(store, directory, keys, keys / 1000, true).run();
  }

  private void run() throws Throwable {
    runSequential();
    runRandom();
    if (sum == 42) {
      System.err.println();
    }
  }

  private void runSequential() throws Throwable {
    BoltBenchmarkKeys.Source keys = BoltBenchmarkKeys::sequential;
    Path file = create("sequential.db");
    puts("sequential puts, 10,000 a commit", keys, true, 0, scale, 10_000);
    store.close();
    size("file after sequential puts", file);
    opens("open", file, false);
    store.open(file, true);
    puts("", keys, true, scale, 1, 1);
    store.close();
    opens("open, free pages listed", file, true);
    store.open(file, false);
    reads("sequential keys", keys, scale);
    puts("sequential puts, 100 a commit", keys, true, scale + 1, commits * 100, 100);
    puts("sequential puts, 1 a commit", keys, true, scale + 1 + commits * 100, commits, 1);
    deletes("deletes from the front, 1,000 a commit", keys, scale / 4, 1000);
    store.close();
    Files.delete(file);
  }

  private void runRandom() throws Throwable {
    BoltBenchmarkKeys.Source keys = BoltBenchmarkKeys::random;
    Path file = create("random.db");
    int count = scale / 4;
    puts("random puts, 10,000 a commit", keys, false, 0, count, 10_000);
    store.close();
    size("file after random puts", file);
    store.open(file, false);
    reads("random keys", keys, count);
    puts("random puts, 100 a commit", keys, false, count, commits / 2 * 100, 100);
    puts("random puts, 1 a commit", keys, false, count + commits / 2 * 100, commits, 1);
    deletes("random deletes, 10,000 a commit", keys, count / 5 * 2, 10_000);
    store.close();
    Files.delete(file);
  }

  private Path create(String name) throws Exception {
    Path file = directory.resolve(store.name() + "-" + name);
    Files.deleteIfExists(file);
    store.open(file, false);
    return file;
  }

  private void puts(
      String row, BoltBenchmarkKeys.Source keys, boolean ascending, int from, int count, int perCommit)
      throws Throwable {
    row(row, count, () -> {
      for (int n = from; n < from + count; n += perCommit) {
        store.put(keys, n, Math.min(n + perCommit, from + count), value, ascending);
      }
    });
  }

  private void deletes(String row, BoltBenchmarkKeys.Source keys, int count, int perCommit) throws Throwable {
    row(row, count, () -> {
      for (int n = 0; n < count; n += perCommit) {
        store.delete(keys, n, Math.min(n + perCommit, count));
      }
    });
  }

  /// Times opening alone, not closing.
  private void opens(String row, Path file, boolean listed) throws Throwable {
    int times = listed ? measured ? 200 : 10_000 : measured ? 5 : 50;
    for (int i = 0; i < times; i++) {
      row(row, 1, () -> store.open(file, listed));
      store.close();
    }
  }

  private void reads(String which, BoltBenchmarkKeys.Source keys, int count) throws Throwable {
    for (int i = 0; i < 3; i++) {
      row("gets, " + which, scale / 2, () -> check(store.get(keys, count, scale / 2) == scale / 2 * 256L));
    }
    for (int i = 0; i < 3; i++) {
      row("scans of 1,000, " + which, scale / 100, () -> sum += store.scan(keys, count, scale / 100));
    }
    for (int i = 0; i < 3; i++) {
      row("scan of all, " + which, count, () -> check(store.scanAll() >= count));
    }
  }

  private static void check(boolean condition) {
    if (!condition) {
      throw new AssertionError("lost");
    }
  }

  private void size(String row, Path file) throws Exception {
    if (measured) {
      System.out.printf("%s\t%s\t1\t%d\t0%n", store.name(), row, Files.size(file));
    }
  }

  private interface Work {
    void run() throws Throwable;
  }

  private void row(String name, int operations, Work work) throws Throwable {
    long cpu = processorNanos();
    long start = System.nanoTime();
    work.run();
    long wall = System.nanoTime() - start;
    long used = processorNanos() - cpu;
    if (measured && !name.isEmpty()) {
      System.out.printf("%s\t%s\t%d\t%d\t%d%n", store.name(), name, operations, wall, used);
    }
  }

  /// What this process has used of all processors; the JDK's own figure comes in hundredths of a second.
  private static long processorNanos() throws Throwable {
    check((int) CLOCK_GETTIME.invokeExact(CLOCK_PROCESS_CPUTIME_ID, TIME) == 0);
    return TIME.get(ValueLayout.JAVA_LONG, 0) * 1_000_000_000 + TIME.get(ValueLayout.JAVA_LONG, 8);
  }
}
