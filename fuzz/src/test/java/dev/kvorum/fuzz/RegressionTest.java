package dev.kvorum.fuzz;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

class RegressionTest {
  private static final Path REGRESSIONS = Path.of("src/test/resources/regressions");

  /// Each by the name of its file, in a directory by the name of its target.
  @TestFactory
  List<DynamicTest> whatOnceBrokeSomethingIsTakenWell() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path directory : list(REGRESSIONS)) {
      Target target = Targets.named(directory.getFileName().toString());
      for (Path input : list(directory)) {
        tests.add(dynamicTest(
            directory.getFileName() + "/" + input.getFileName(), () -> Driver.run(target, Files.readAllBytes(input))));
      }
    }
    return tests;
  }

  /// Before anything is damaged, everything is well: otherwise a campaign would look at refusals only.
  @TestFactory
  Stream<DynamicTest> everySeedIsTaken() {
    return Stream.of("bolt-file", "wal-records", "snap-file", "state-records", "state-file", "state-log")
        .map(name -> dynamicTest(name, () -> {
          Target target = Targets.named(name);
          for (byte[] seed : target.seeds()) {
            target.run(seed);
          }
        }));
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }
}
