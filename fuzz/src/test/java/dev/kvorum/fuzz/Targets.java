package dev.kvorum.fuzz;

import java.util.List;
import java.util.function.Supplier;

/// All there are, in the order a campaign runs them.
final class Targets {
  private Targets() {}

  private static final List<Supplier<Target>> ALL = List.of(BoltTargets.Edited::new, BoltTargets.Raw::new);

  static List<Target> all() {
    return ALL.stream().map(Supplier::get).toList();
  }

  static Target named(String name) {
    return all().stream()
        .filter(target -> target.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no target " + name));
  }
}
