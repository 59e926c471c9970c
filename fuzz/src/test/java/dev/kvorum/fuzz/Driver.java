package dev.kvorum.fuzz;

import com.sun.management.ThreadMXBean;
import dev.kvorum.api.EtcdException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/// What Jazzer calls with each input, and the judge of each run: which failures are refusals, and what it may cost.
///
/// Started by [Campaign], which names the target.
public final class Driver {
  /// CPU time of one run. Wall time would be the machine's.
  private static final long CPU_NANOS_MAX = 2_000_000_000L;

  /// Allocated in one run, of inputs that are never longer than 64 KiB.
  private static final long ALLOCATED_BYTES_MAX = 96L << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static @Nullable Target target;

  private Driver() {}

  /// A run that cost more than any file of that size may.
  static final class TooDear extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooDear(String message) {
      super(message);
    }
  }

  public static void fuzzerInitialize(String[] arguments) {
    target = Targets.named(arguments[0]);
  }

  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    Target chosen = target;
    if (chosen != null) {
      run(chosen, input);
    }
  }

  /// @throws Exception whatever is a finding
  static void run(Target target, byte[] input) throws Exception {
    String complaint = measured(target, input);
    if (complaint != null) {
      // The first run may have loaded classes, which Jazzer instruments on this very thread.
      complaint = measured(target, input);
    }
    if (complaint != null) {
      throw new TooDear(complaint);
    }
  }

  /// @return what it cost, if that is too much
  private static @Nullable String measured(Target target, byte[] input) throws Exception {
    long cpu = THREADS.getCurrentThreadCpuTime();
    long allocated = THREADS.getCurrentThreadAllocatedBytes();
    try {
      target.run(input);
    } catch (IOException | EtcdException refused) {
      // what a reader of damaged bytes is to say
    }
    cpu = THREADS.getCurrentThreadCpuTime() - cpu;
    allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
    if (cpu > CPU_NANOS_MAX) {
      return "an input of " + input.length + " bytes took " + cpu / 1_000_000 + " ms of CPU";
    }
    return allocated > ALLOCATED_BYTES_MAX
        ? "an input of " + input.length + " bytes allocated " + (allocated >> 20) + " MiB"
        : null;
  }
}
