package dev.kvorum.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What Linux says about a process (proc(5)).
final class ProcStat {
  /// USER_HZ, which is 100 wherever Linux runs a JVM.
  private static final double TICKS_PER_SECOND = 100;

  private static final int IDLE = 4;
  private static final int IO_WAIT = 5;
  private static final int STEAL = 8;
  private static final int UTIME = 11;
  private static final int CHILDREN_STIME = 14;

  private ProcStat() {}

  /// User and system time of the process and of its children that ended; resolution 10 ms. 0 when it is gone.
  static double cpuSeconds(long pid) throws IOException {
    Path path = Path.of("/proc/" + pid + "/stat");
    if (!Files.exists(path)) {
      return 0;
    }
    String stat = Files.readString(path);
    // The second field is the name in brackets and may hold anything; count from behind it.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    long ticks = 0;
    for (int i = UTIME; i <= CHILDREN_STIME; i++) {
      ticks += Long.parseLong(fields[i]);
    }
    return ticks / TICKS_PER_SECOND;
  }

  /// Time that all processors of the machine spent on anything, in seconds since it started.
  static double machineBusySeconds() throws IOException {
    String[] fields = Files.readAllLines(Path.of("/proc/stat")).getFirst().split(" +");
    long ticks = 0;
    for (int i = 1; i <= STEAL; i++) {
      ticks += i == IDLE || i == IO_WAIT ? 0 : Long.parseLong(fields[i]);
    }
    return ticks / TICKS_PER_SECOND;
  }

  /// VmRSS. 0 when it is gone.
  static long residentBytes(long pid) throws IOException {
    return statusBytes(pid, "VmRSS:");
  }

  /// VmHWM. 0 when it is gone.
  static long peakResidentBytes(long pid) throws IOException {
    return statusBytes(pid, "VmHWM:");
  }

  /// RssAnon, what of VmRSS is no mapped file. 0 when it is gone.
  static long anonymousBytes(long pid) throws IOException {
    return statusBytes(pid, "RssAnon:");
  }

  private static long statusBytes(long pid, String name) throws IOException {
    Path path = Path.of("/proc/" + pid + "/status");
    if (!Files.exists(path)) {
      return 0;
    }
    for (String line : Files.readAllLines(path)) {
      if (line.startsWith(name)) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    }
    return 0;
  }
}
