package dev.kvorum.bench;

import java.nio.file.Files;
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
    String ours = arguments.text("--ours", "");
    return new Sides(
        only.equals("other") ? null : program(ours, root.resolve("bin/etcd")),
        only.equals("ours") || against.isEmpty() ? null : program(against, null),
        Path.of(arguments.text("--data-dir", root.resolve("bench/target/data").toString())).toAbsolutePath());
  }

  /// Checked before any server is started: the other one's turn may be minutes away.
  private static Path program(String given, @Nullable Path otherwise) {
    if (given.isEmpty() && otherwise != null) {
      return otherwise.toAbsolutePath();
    }
    Path path = Path.of(given).toAbsolutePath();
    if (!Files.isRegularFile(path) || !Files.isExecutable(path)) {
      throw new IllegalArgumentException("no program is at " + path);
    }
    return path;
  }
}
