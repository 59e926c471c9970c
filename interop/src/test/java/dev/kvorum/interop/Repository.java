package dev.kvorum.interop;

import java.nio.file.Files;
import java.nio.file.Path;

/// Where things are in this repository.
final class Repository {
  private Repository() {}

  /// The top directory, found from wherever the tests run.
  static Path root() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.exists(at.resolve("interop/go/go.mod"))) {
        return at;
      }
    }
    throw new IllegalStateException("the tests must run inside the repository");
  }

  /// The Go module of the interop tests.
  static Path goModule() {
    return root().resolve("interop/go");
  }

  /// The server under test: `KVORUM_ETCD`, or `bin/etcd` of this repository.
  static Path server() {
    String given = System.getenv("KVORUM_ETCD");
    return given == null || given.isEmpty() ? root().resolve("bin/etcd") : Path.of(given);
  }
}
