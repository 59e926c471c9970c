package dev.kvorum.api;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// etcd's facts as tables, kept beside the repository; tests that need them are skipped where they are absent.
final class Reference {
  private Reference() {}

  /// The rows of a tab-separated table, comments and the title row left out.
  static List<String[]> rows(String file) throws IOException {
    return lines(file).stream()
        .filter(line -> !line.startsWith("#"))
        .skip(1)
        .map(line -> line.split("\t", -1))
        .toList();
  }

  static List<String> lines(String file) throws IOException {
    Path path = Path.of("../../shared/reference").resolve(file);
    assumeTrue(Files.isReadable(path), () -> path + " is absent");
    return Files.readAllLines(path);
  }
}
