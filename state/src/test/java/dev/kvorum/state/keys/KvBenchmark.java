package dev.kvorum.state.keys;

import com.sun.management.ThreadMXBean;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.env.ThreadLoops;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.Defragmentation;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.LongUnaryOperator;

/// What the store's hot paths cost: puts, commits, reads, memory, garbage, restart, compaction, defragmentation.
///
/// Arguments: the number of keys (1,000,000 unless given), the bytes of each value (256), and a directory.
/// ```sh
/// state/bench 1000000
/// state/bench 10000000 16
/// KVORUM_JAVA_OPTS=-Dkvorum.bench.index=true state/bench    the key index alone
/// ```
public final class KvBenchmark {
  private static final int BATCH = 10_000;
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Path file;
  private final int keys;
  private final Random random = new Random(7);
  private final byte[] value;
  private Backend backend;
  private KvStore store;
  private long sink;

  private KvBenchmark(Path file, int keys, int valueBytes) throws IOException {
    this.file = file;
    this.keys = keys;
    this.value = new byte[valueBytes];
    random.nextBytes(value);
    backend = Backend.open(new RealDisk(), file, BoltOptions.defaults());
    store = KvStore.open(backend, LeaseBinding.NONE);
  }

  public static void main(String[] args) throws IOException {
    int keys = args.length > 0 ? Integer.parseInt(args[0]) : 1_000_000;
    int valueBytes = args.length > 1 ? Integer.parseInt(args[1]) : 256;
    Path directory = args.length > 2 ? Files.createDirectories(Path.of(args[2])) : Files.createTempDirectory("kv");
    Files.deleteIfExists(directory.resolve("db"));
    new KvBenchmark(directory.resolve("db"), keys, valueBytes).run();
    Files.deleteIfExists(directory.resolve("db"));
  }

  private void run() throws IOException {
    indexAlone(true);
    indexAlone(false);
    if (Boolean.getBoolean("kvorum.bench.index")) {
      return;
    }
    long before = heap();
    fill();
    memory("after " + keys + " keys", heap() - before);
    reads("fresh", 1);
    puts("random updates", i -> Math.floorMod(i * 7919L, keys), 300_000, 1);
    puts("random updates, 64 to a view", i -> Math.floorMod(i * 104729L, keys), 300_000, 64);
    puts("one hot key", i -> 0, 200_000, 1);
    reads("after updates", 2);
    backend.close();
    store.close();
    backend = null;
    store = null;
    before = heap();
    resetPeak();
    long start = System.nanoTime();
    backend = Backend.open(new RealDisk(), file, BoltOptions.defaults());
    long opened = System.nanoTime();
    long cpu = processCpu();
    store = KvStore.open(backend, LeaseBinding.NONE, new ThreadLoops(PROCESSORS).workers());
    System.out.printf(
        "open bolt %d ms, restore %d ms, %d ms CPU%n", millis(start, opened), millis(opened, System.nanoTime()),
        millis(cpu, processCpu()));
    System.out.printf("heap at its highest meanwhile: %d MB%n", peak() >> 20);
    memory("after restore", heap() - before);
    reads("restored", 3);
    compact();
    defragment();
    reads("after defragmentation", 4);
    hash();
    System.out.println("sink " + sink);
    store.close();
    backend.close();
  }

  /// The key index without values or files: filled in order or out of it, then changed.
  private void indexAlone(boolean ordered) {
    String how = ordered ? "in order" : "out of order";
    KeyIndex index = new KeyIndex();
    index(index, "index, created " + how, i -> ordered ? i : Math.floorMod(i * 7_368_787L, keys), 2, 64);
    memory("of the index, created " + how, index.heapBytes());
    index(index, "index, put again", i -> Math.floorMod(i * 104_729L, keys), keys + 2L, 64);
    memory("of the index, put again", index.heapBytes());
    for (byte[] next = new byte[0]; next != null; ) {
      next = index.compactLeaf(next, 2L * keys + 2);
    }
    memory("of the index, compacted", index.heapBytes());
    index(index, "index, put again, each shown", i -> Math.floorMod(i * 15_485_863L, keys), 3L * keys, 1);
    sink += index.view().countLatest(KeyRange.all());
  }

  private void index(KeyIndex index, String what, LongUnaryOperator which, long firstMain, int perView) {
    long nanos = 0;
    long bytes = 0;
    Bytes[] names = new Bytes[BATCH];
    for (int done = 0; done < keys; done += BATCH) {
      for (int i = 0; i < BATCH; i++) {
        names[i] = key(which.applyAsLong(done + i));
      }
      long start = cpu();
      long allocated = allocated();
      for (int i = 0; i < BATCH; i++) {
        index.put(names[i].array(), firstMain + done + i, 0);
        if (i % perView == 0) {
          index.view();
        }
      }
      bytes += allocated() - allocated;
      nanos += cpu() - start;
    }
    report(what, keys, nanos);
    System.out.printf("  allocating %d bytes each%n", bytes / keys);
  }

  private static long allocated() {
    return THREADS.getThreadAllocatedBytes(Thread.currentThread().threadId());
  }

  private static long processCpu() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static void resetPeak() {
    ManagementFactory.getMemoryPoolMXBeans().forEach(MemoryPoolMXBean::resetPeakUsage);
  }

  /// An upper bound: the pools need not have been at their highest at the same moment.
  private static long peak() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .mapToLong(pool -> pool.getPeakUsage().getUsed())
        .sum();
  }

  private Bytes key(long i) {
    return Bytes.utf8(String.format("/registry/pods/ns-%03d/pod-%08d", i % 500, i));
  }

  private void fill() throws IOException {
    Bytes[] names = new Bytes[keys];
    for (int i = 0; i < keys; i++) {
      names[i] = key(i);
    }
    long start = cpu();
    long writing = 0;
    for (int i = 0; i < keys; i++) {
      put(names[i]);
      if (i % 64 == 63) {
        store.publish();
      }
      if (i % BATCH == BATCH - 1) {
        writing += commit();
      }
    }
    for (int i = 0; i < 1000; i++) {
      put(Bytes.utf8(String.format("/ordered/%08d", i)));
    }
    store.publish();
    report("fill, 64 to a view", keys, cpu() - start - writing);
    System.out.printf("  committing: %.2f us/put%n", writing / 1000.0 / keys);
  }

  private void put(Bytes name) {
    KvTxn txn = store.begin();
    txn.put(name, Bytes.wrap(value), 0);
    txn.end();
  }

  private long commit() throws IOException {
    long start = cpu();
    BackendCommit commit = backend.write(backend.take());
    store.committed(commit);
    return cpu() - start;
  }

  private void puts(String what, LongUnaryOperator which, int count, int perView) throws IOException {
    Bytes[] names = new Bytes[count];
    for (int i = 0; i < count; i++) {
      names[i] = key(which.applyAsLong(i));
    }
    for (int pass = 0; pass < 2; pass++) {
      long start = cpu();
      long allocated = allocated();
      long writing = 0;
      for (int i = 0; i < count; i++) {
        put(names[i]);
        if (i % perView == perView - 1) {
          store.publish();
        }
        if (i % BATCH == BATCH - 1) {
          writing += commit();
        }
      }
      report(what, count, cpu() - start - writing);
      System.out.printf(
          "  committing: %.2f us/put; allocating %d bytes/put, commits included%n", writing / 1000.0 / count,
          (allocated() - allocated) / count);
    }
  }

  private void reads(String what, long seed) throws IOException {
    System.out.println("reads, " + what);
    Random order = new Random(seed);
    Bytes[] names = new Bytes[200_000];
    for (int i = 0; i < names.length; i++) {
      names[i] = key(order.nextInt(keys));
    }
    try (KvView view = store.view()) {
      for (int pass = 0; pass < 2; pass++) {
        long start = cpu();
        for (Bytes name : names) {
          sink += view.range(KeyRange.single(name), RangeOptions.LATEST).count();
        }
        report("range of one key", names.length, cpu() - start);
        start = cpu();
        for (int i = 0; i < 500; i++) {
          sink += view.range(KeyRange.from(names[i]), RangeOptions.LATEST.limit(1000)).kvs().length;
        }
        report("range of 1,000 keys", 500, cpu() - start);
        start = cpu();
        KeyRange ordered = KeyRange.prefix(Bytes.utf8("/ordered/"));
        for (int i = 0; i < 500; i++) {
          sink += view.range(ordered, RangeOptions.LATEST).kvs().length;
        }
        report("range of 1,000 keys put in order", 500, cpu() - start);
        start = cpu();
        for (int i = 0; i < 500; i++) {
          sink += view.range(KeyRange.from(names[i]), RangeOptions.LATEST.limit(1000).keysOnly(true)).kvs().length;
        }
        report("range of 1,000 keys, keys only", 500, cpu() - start);
        start = cpu();
        for (Bytes name : names) {
          sink += view.count(KeyRange.from(name), 0);
        }
        report("count", names.length, cpu() - start);
      }
    }
  }

  private void compact() throws IOException {
    long start = System.nanoTime();
    Compaction compaction = store.compact(store.currentRevision());
    commit();
    long indexNanos = 0;
    long longest = 0;
    boolean done = false;
    while (!done) {
      long step = System.nanoTime();
      done = store.compactIndexStep(16);
      long took = System.nanoTime() - step;
      indexNanos += took;
      longest = Math.max(longest, took);
    }
    long steps = 0;
    long longestStep = 0;
    while (!compaction.isFinished()) {
      long step = System.nanoTime();
      BackendCommit commit = compaction.backendStep(1000);
      if (commit != null) {
        store.compacted(compaction, commit);
      }
      longestStep = Math.max(longestStep, System.nanoTime() - step);
      steps++;
    }
    System.out.printf(
        "compaction of %d revisions: %d ms; index %d ms in steps of at most %d us; file in %d steps of at most %d us%n",
        compaction.deleted(), millis(start, System.nanoTime()), indexNanos / 1_000_000, longest / 1000, steps,
        longestStep / 1000);
  }

  private void defragment() throws IOException {
    long start = System.nanoTime();
    long longest = 0;
    BackendCommit commit = null;
    try (Defragmentation copying = backend.beginDefragmentation()) {
      while (commit == null) {
        long step = System.nanoTime();
        commit = copying.step(10_000, 16 << 20);
        longest = Math.max(longest, System.nanoTime() - step);
      }
    }
    store.committed(commit);
    System.out.printf(
        "defragmentation: %d ms in steps of at most %d ms, to %d bytes%n", millis(start, System.nanoTime()),
        longest / 1_000_000, backend.size().bytes());
  }

  private void hash() throws IOException {
    try (KvView view = store.view()) {
      long start = System.nanoTime();
      sink += view.hashByRevision(0).hash();
      System.out.printf("hash: %d ms%n", millis(start, System.nanoTime()));
    }
  }

  private void memory(String what, long bytes) {
    System.out.printf("heap %s: %d MB, %d bytes/key%n", what, bytes >> 20, bytes / keys);
  }

  private static long heap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /// This thread's CPU time: a busy machine moves it least.
  private static long cpu() {
    return THREADS.getCurrentThreadCpuTime();
  }

  private static long millis(long from, long to) {
    return (to - from) / 1_000_000;
  }

  private static void report(String what, long count, long nanos) {
    System.out.printf("%-32s %8.3f us CPU each%n", what, nanos / 1000.0 / count);
  }
}
