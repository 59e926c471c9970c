package dev.kvorum.server.metrics;

import dev.kvorum.member.metrics.MetricsRegistry;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.DoubleSupplier;

/// What the operating system and the JVM know of this process: `process_*`, `os_fd_*`, and those `go_*` names whose
/// meaning a JVM can give. All are asked at each scrape; what cannot be read shows as 0.
public final class ProcessMetrics {
  private static final long CLOCK_TICKS_PER_SECOND = 100;
  private static final Path PROC = Path.of("/proc/self");
  private static final String UNLIMITED = "unlimited";
  private static final double UNLIMITED_BYTES = 1.8446744073709552e19;

  private final MetricsRegistry registry;

  private ProcessMetrics(MetricsRegistry registry) {
    this.registry = registry;
  }

  public static void addTo(MetricsRegistry registry) {
    ProcessMetrics metrics = new ProcessMetrics(registry);
    metrics.process();
    metrics.files();
    metrics.network();
    metrics.runtime();
  }

  /// Descriptors this process has open.
  public static long openFiles() {
    long count = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(PROC.resolve("fd"))) {
      for (Path ignored : files) {
        count++;
      }
    } catch (IOException | DirectoryIteratorException unknown) {
      return 0;
    }
    return count;
  }

  /// Descriptors this process may have open.
  public static long maxFiles() {
    return (long) limit("Max open files", Long.MAX_VALUE);
  }

  private void process() {
    registry
        .counter("process_cpu_seconds_total", "Seconds of CPU used, by user and system.")
        .readFrom(() -> (stat(13) + stat(14)) / CLOCK_TICKS_PER_SECOND);
    gauge("process_virtual_memory_bytes", "Bytes of address space.", () -> stat(22));
    gauge("process_virtual_memory_max_bytes", "Bytes of address space allowed.",
        () -> limit("Max address space", UNLIMITED_BYTES));
    gauge("process_resident_memory_bytes", "Bytes of memory.", ProcessMetrics::residentBytes);
    double started = ManagementFactory.getRuntimeMXBean().getStartTime() / 1000.0;
    gauge("process_start_time_seconds", "When the process started, in Unix seconds.", () -> started);
  }

  private void files() {
    gauge("process_open_fds", "File descriptors open.", ProcessMetrics::openFiles);
    gauge("process_max_fds", "File descriptors allowed.", ProcessMetrics::maxFiles);
    gauge("os_fd_used", "File descriptors open.", ProcessMetrics::openFiles);
    gauge("os_fd_limit", "File descriptors allowed.", ProcessMetrics::maxFiles);
  }

  private void network() {
    registry
        .counter("process_network_receive_bytes_total", "Bytes received in this network namespace.")
        .readFrom(() -> networkBytes("InOctets"));
    registry
        .counter("process_network_transmit_bytes_total", "Bytes sent in this network namespace.")
        .readFrom(() -> networkBytes("OutOctets"));
  }

  private void runtime() {
    registry.gauges("go_info", "1 for the runtime; a JVM names itself here.", "version")
        .labels("java" + Runtime.version()).set(1);
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    gauge("go_goroutines", "Threads of the JVM; virtual ones not counted.", threads::getThreadCount);
    gauge("go_threads", "Threads of the operating system.", () -> stat(19));
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    gauge("go_memstats_alloc_bytes", "Bytes of heap in use.", () -> memory.getHeapMemoryUsage().getUsed());
    gauge("go_memstats_heap_alloc_bytes", "Bytes of heap in use.", () -> memory.getHeapMemoryUsage().getUsed());
    gauge("go_memstats_heap_inuse_bytes", "Bytes of heap in use.", () -> memory.getHeapMemoryUsage().getUsed());
    gauge("go_memstats_heap_sys_bytes", "Bytes of heap reserved from the system.",
        () -> memory.getHeapMemoryUsage().getCommitted());
    gauge("go_memstats_heap_idle_bytes", "Bytes of heap reserved and free.",
        () -> memory.getHeapMemoryUsage().getCommitted() - memory.getHeapMemoryUsage().getUsed());
    gauge("go_memstats_sys_bytes", "Bytes reserved from the system, heap and other.",
        () -> memory.getHeapMemoryUsage().getCommitted() + memory.getNonHeapMemoryUsage().getCommitted());
    gauge("go_sched_gomaxprocs_threads", "Processors the JVM uses.",
        () -> Runtime.getRuntime().availableProcessors());
    gauge("go_gc_gomemlimit_bytes", "Bytes the heap may grow to.", () -> Runtime.getRuntime().maxMemory());
  }

  private void gauge(String name, String help, DoubleSupplier source) {
    registry.gauge(name, help).readFrom(source);
  }

  /// A column of `/proc/self/stat`, counted from 0 as in proc(5) less one.
  private static double stat(int column) {
    String text = read("stat");
    int nameEnd = text.lastIndexOf(')');
    if (nameEnd < 0) {
      return 0;
    }
    String[] columns = text.substring(nameEnd + 2).split(" ");
    int index = column - 2;
    return index < columns.length ? Double.parseDouble(columns[index]) : 0;
  }

  private static double residentBytes() {
    for (String line : read("status").split("\n")) {
      if (line.startsWith("VmRSS:")) {
        return Double.parseDouble(line.replaceAll("[^0-9]", "")) * 1024;
      }
    }
    return 0;
  }

  private static double limit(String name, double unlimited) {
    for (String line : read("limits").split("\n")) {
      if (line.startsWith(name)) {
        String soft = line.substring(name.length()).strip().split("\\s+")[0];
        return soft.equals(UNLIMITED) ? unlimited : Double.parseDouble(soft);
      }
    }
    return 0;
  }

  /// `/proc/self/net/netstat` has a line of names above a line of values.
  private static double networkBytes(String name) {
    String[] lines = read("net/netstat").split("\n");
    for (int i = 0; i + 1 < lines.length; i += 2) {
      if (lines[i].startsWith("IpExt:")) {
        String[] names = lines[i].split(" ");
        String[] values = lines[i + 1].split(" ");
        for (int column = 0; column < Math.min(names.length, values.length); column++) {
          if (names[column].equals(name)) {
            return Double.parseDouble(values[column]);
          }
        }
      }
    }
    return 0;
  }

  private static String read(String file) {
    try {
      return Files.readString(PROC.resolve(file), StandardCharsets.ISO_8859_1);
    } catch (IOException notLinux) {
      return "";
    }
  }
}
