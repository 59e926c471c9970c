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

  private Targets() {}

  /// Names, as the command line has them.
  static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  static Target named(String name) {
    Supplier<Target> found = ALL.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no target " + name + "; there are " + String.join(", ", ALL.keySet()));
    }
    return found.get();
  }
}
