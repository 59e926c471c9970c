package dev.kvorum.server;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import org.jspecify.annotations.Nullable;

/// Collects the heap's old generation before it has grown to its end.
///
/// The serial collector would let it: what has outlived the young generation, and is garbage by now, stays until the whole
/// heap is full. On a large machine those are gigabytes that nobody uses; in a small control group they take the place of
/// the db's cached pages, and large reads wait for the disk. So every half minute at most, and only when there is enough
/// to win, a full collection: some 70 ms per 50 MB of what lives.
///
/// For the process, not for a member: who runs one inside a JVM of his own collects as he likes.
final class OldGeneration {
  private static final long EVERY_MILLIS = 30_000;
  private static final long GARBAGE_BYTES_MIN = 16 << 20;
  private static final long GARBAGE_BYTES_MAX = 256 << 20;
  private static final int HEAP_PARTS = 16;

  private OldGeneration() {}

  /// Does so from now on, as long as the process lives; nothing with collectors that care for themselves.
  static void keepSmall() {
    MemoryPoolMXBean pool = pool();
    if (pool == null) {
      return;
    }
    Thread thread = new Thread(() -> watch(pool), "old-generation");
    thread.setDaemon(true);
    thread.start();
  }

  private static @Nullable MemoryPoolMXBean pool() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getName().equals("Tenured Gen"))
        .findAny()
        .orElse(null);
  }

  private static void watch(MemoryPoolMXBean pool) {
    long heap = Runtime.getRuntime().maxMemory();
    try {
      while (true) {
        Thread.sleep(EVERY_MILLIS);
        MemoryUsage collected = pool.getCollectionUsage();
        if (isDue(pool.getUsage().getUsed(), collected == null ? 0 : collected.getUsed(), heap)) {
          System.gc();
        }
      }
    } catch (InterruptedException ends) {
      Thread.currentThread().interrupt();
    }
  }

  /// @param used bytes of the old generation
  /// @param lived bytes of it that were left by the last full collection
  /// @param heap the most the heap grows to
  static boolean isDue(long used, long lived, long heap) {
    long worthwhile = Math.max(lived / 2, Math.clamp(heap / HEAP_PARTS, GARBAGE_BYTES_MIN, GARBAGE_BYTES_MAX));
    return used - lived > worthwhile;
  }
}
