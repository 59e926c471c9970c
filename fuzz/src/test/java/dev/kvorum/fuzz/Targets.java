package dev.kvorum.fuzz;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// All there are, in the order a campaign runs them.
final class Targets {
  private static final Map<String, Supplier<Target>> ALL = new LinkedHashMap<>();

  static {
    ALL.put("bolt-edits", BoltTargets.Edited::new);
    ALL.put("bolt-file", BoltTargets.Raw::new);
    ALL.put("bolt-mend", BoltTargets.Broken::new);
    ALL.put("wal-damage", WalTargets.Damaged::new);
    ALL.put("wal-records", WalTargets.Made::new);
    ALL.put("snap-file", SnapTarget::new);
    ALL.put("codecs", CodecTarget::new);
    ALL.put("state-records", StateTargets.Records::new);
    ALL.put("state-pages", StateTargets.Pages::new);
    ALL.put("state-file", StateTargets.File::new);
    ALL.put("state-log", StateTargets.Log::new);
  }

  private static final Map<String, List<String>> GROUPS = new LinkedHashMap<>();

  static {
    GROUPS.put("state", List.of("state-records", "state-pages", "state-file", "state-log"));
    GROUPS.put("bolt", List.of("bolt-edits", "bolt-file", "bolt-mend"));
    GROUPS.put("wal", List.of("wal-damage", "wal-records"));
    GROUPS.put("wire", List.of("snap-file", "codecs"));
  }

  private Targets() {}

  /// Each target is in one of these, which are targets, too.
  static List<String> groups() {
    return List.copyOf(GROUPS.keySet());
  }

  /// Names, as the command line has them.
  static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  static Target named(String name) {
    Supplier<Target> found = ALL.get(name);
    if (found != null) {
      return found.get();
    }
    List<String> members = GROUPS.get(name);
    if (members == null) {
      throw new IllegalArgumentException("no target " + name + "; there are " + String.join(", ", ALL.keySet())
          + ", and the groups " + String.join(", ", GROUPS.keySet()));
    }
    return new Group(members.stream().map(Targets::named).toList());
  }
}
