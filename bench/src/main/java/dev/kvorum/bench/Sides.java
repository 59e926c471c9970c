package dev.kvorum.bench;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who is measured.
///
/// @param ours our `bin/etcd`; null when not measured
/// @param other the etcd to compare with; null when not measured
/// @param dataDir where servers keep their data, on a real disk
record Sides(@Nullable Path ours, @Nullable Path other, Path dataDir) {
  static Sides parse(Path root, Arguments arguments) {
    String only = arguments.text("--only", "");
    if (!List.of("", "ours", "other").contains(only)) {
      throw new IllegalArgumentException("--only takes `ours` or `other`");
    }
    String against = arguments.text("--against", "");
    if (only.equals("other") && against.isEmpty()) {
      throw new IllegalArgumentException("--only other needs --against PATH");
    }
    Path ours = Path.of(arguments.text("--ours", root.resolve("bin/etcd").toString())).toAbsolutePath();
    return new Sides(
        only.equals("other") ? null : ours,
        only.equals("ours") || against.isEmpty() ? null : Path.of(against).toAbsolutePath(),
        Path.of(arguments.text("--data-dir", root.resolve("bench/target/data").toString())).toAbsolutePath());
  }
}
