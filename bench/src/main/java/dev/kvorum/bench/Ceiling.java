package dev.kvorum.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A limit to a server's memory: a control group of its own (version 2 or 1 of cgroups, whichever this machine has and
/// lets us use), in which the kernel kills what needs more. Where that cannot be, only a request to the server's own
/// good will: `KVORUM_MEMORY` and `GOMEMLIMIT`.
final class Ceiling implements AutoCloseable {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final int REMOVE_ATTEMPTS_MAX = 40;
  private static final long REMOVE_PAUSE_NANOS = 50_000_000;

  private enum Kind {
    V2("memory.max", "memory.current", "memory.peak", "memory.events"),
    V1("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control");

    private final String limit;
    private final String usage;
    private final String peak;
    private final String kills;

    Kind(String limit, String usage, String peak, String kills) {
      this.limit = limit;
      this.usage = usage;
      this.peak = peak;
      this.kills = kills;
    }
  }

  private final long bytes;
  private final Kind kind;
  private final @Nullable Path group;
  private final String refusal;

  private Ceiling(long bytes, Kind kind, @Nullable Path group, String refusal) {
    this.bytes = bytes;
    this.kind = kind;
    this.group = group;
    this.refusal = refusal;
  }

  /// `label` becomes part of the group's name.
  static Ceiling of(long bytes, String label) {
    String name = "kvorum-bench-" + ProcessHandle.current().pid() + "-" + label;
    String refusal = "";
    for (Kind kind : Kind.values()) {
      Path parent = kind == Kind.V1 ? ROOT.resolve("memory") : ROOT;
      Path group = parent.resolve(name);
      try {
        if (kind == Kind.V2) {
          set(parent, "cgroup.subtree_control", "+memory");
        }
        Files.createDirectory(group);
        set(group, kind.limit, Long.toString(bytes));
        forbidSwap(kind, group, bytes);
        return new Ceiling(bytes, kind, group, "");
      } catch (IOException e) {
        refusal = e.toString();
        remove(group);
      }
    }
    return new Ceiling(bytes, Kind.V2, null, refusal);
  }

  /// Never creates the file: outside of a control group's file system that would seem to work.
  private static void set(Path group, String file, String value) throws IOException {
    Files.writeString(group.resolve(file), value, StandardOpenOption.WRITE);
  }

  /// As far as the kernel knows swap at all.
  private static void forbidSwap(Kind kind, Path group, long bytes) {
    Map<String, String> settings =
        kind == Kind.V2
            ? Map.of("memory.swap.max", "0")
            : Map.of("memory.swappiness", "0", "memory.memsw.limit_in_bytes", Long.toString(bytes));
    settings.forEach(
        (file, value) -> {
          try {
            set(group, file, value);
          } catch (IOException e) {
            System.out.println("  (" + file + " cannot be set: " + e.getMessage() + ")");
          }
        });
  }

  /// What the server's command line begins with: a shell that enters the group and becomes the server.
  List<String> commandPrefix() {
    return group == null
        ? List.of()
        : List.of("/bin/sh", "-c", "echo $$ >\"$0\"/cgroup.procs && exec \"$@\"", group.toString());
  }

  Map<String, String> environment() {
    return group == null
        ? Map.of("KVORUM_MEMORY", Long.toString(bytes), "GOMEMLIMIT", Long.toString(bytes))
        : Map.of();
  }

  /// For the user.
  String description() {
    return group == null
        ? "NO ceiling of the kernel's (" + refusal + "), only KVORUM_MEMORY and GOMEMLIMIT"
        : "control group " + group + " (" + kind + "), no swap; page cache counts, too";
  }

  /// What the group uses, page cache included; 0 when unknown.
  long usageBytes() {
    return number(kind.usage);
  }

  /// What of it is no page cache; 0 when unknown.
  long anonymousBytes() {
    return labelled("memory.stat", kind == Kind.V2 ? "anon " : "rss ");
  }

  /// The most it has used; 0 when unknown.
  long peakBytes() {
    return number(kind.peak);
  }

  /// How often the kernel has killed a process of the group for want of memory.
  long kills() {
    return labelled(kind.kills, "oom_kill ");
  }

  private long labelled(String file, String label) {
    if (group == null) {
      return 0;
    }
    try {
      for (String line : Files.readAllLines(group.resolve(file))) {
        if (line.startsWith(label)) {
          return Long.parseLong(line.substring(label.length()).strip());
        }
      }
    } catch (IOException | NumberFormatException e) {
      // As where there is no such line.
    }
    return 0;
  }

  private long number(String file) {
    if (group == null) {
      return 0;
    }
    try {
      return Long.parseLong(Files.readString(group.resolve(file)).strip());
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  /// Removes the group; its processes must have ended. Twice is harmless.
  @Override
  public void close() {
    if (group != null) {
      remove(group);
    }
  }

  private static void remove(Path group) {
    for (int attempt = 1; ; attempt++) { // the kernel takes a moment to forget a process
      try {
        Files.deleteIfExists(group);
        return;
      } catch (IOException e) {
        if (attempt == REMOVE_ATTEMPTS_MAX) {
          System.err.println(group + " could not be removed: " + e);
          return;
        }
        LockSupport.parkNanos(REMOVE_PAUSE_NANOS);
      }
    }
  }
}
