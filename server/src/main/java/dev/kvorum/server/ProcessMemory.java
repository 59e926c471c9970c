package dev.kvorum.server;

import io.netty.util.internal.PlatformDependent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How the memory of this process is divided, in bytes. `bin/etcd` divides it from what the machine or the cgroup
/// allows; here is what came of that, and what requests in flight may take of it.
///
/// @param limit what the launcher found this process may use; 0 when nobody told
/// @param heap the most the heap grows to
/// @param direct the most network buffers take beside it
/// @param budget what requests in flight may take of the two
record ProcessMemory(long limit, long heap, long direct, long budget) {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessMemory.class);
  private static final String LIMIT_PROPERTY = "kvorum.memory.limit";

  /// Half of what is left of the heap beside the young generation's room is for the key index and the values that wait
  /// for the disk; the budget has the rest.
  private static final int HEAP_PARTS = 3;

  static ProcessMemory ofThisProcess() {
    long heap = Runtime.getRuntime().maxMemory();
    return new ProcessMemory(
        Long.getLong(LIMIT_PROPERTY, 0), heap, PlatformDependent.maxDirectMemory(), heap / HEAP_PARTS);
  }

  ProcessMemory withBudget(long bytes) {
    return new ProcessMemory(limit, heap, direct, bytes);
  }

  void log() {
    LOG.atInfo()
        .addKeyValue("memory-limit-bytes", limit)
        .addKeyValue("max-heap-bytes", heap)
        .addKeyValue("max-direct-bytes", direct)
        .addKeyValue("request-budget-bytes", budget)
        .addKeyValue("request-budget", ByteSize.text(budget))
        .log("divided the memory of this process");
  }
}
