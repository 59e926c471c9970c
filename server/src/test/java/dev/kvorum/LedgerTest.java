package dev.kvorum;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The ledger of bugs claims only what a test shows, and names tests that exist.
class LedgerTest {
  private static final Path ROOT = repositoryRoot();
  private static final Pattern OF_JAVA = Pattern.compile("`([a-z]+)/(\\w+Test)\\.(\\w+)`");
  private static final Pattern OF_GO = Pattern.compile("`interop/go/(\\w+)\\.(Test\\w+)`");

  private static List<String> rows() throws IOException {
    return Files.readAllLines(ROOT.resolve("docs/BUGS.md")).stream()
        .filter(line -> line.startsWith("| ") && !line.startsWith("| id "))
        .toList();
  }

  @Test
  void everyTestThatIsNamedExists() throws IOException {
    List<String> missing = new ArrayList<>();
    for (String row : rows()) {
      for (Matcher named = OF_JAVA.matcher(row); named.find(); ) {
        if (!declares(ROOT.resolve(named.group(1) + "/src/test/java"), named.group(2) + ".java",
            "> " + named.group(3) + "(", "void " + named.group(3) + "(")) {
          missing.add(named.group());
        }
      }
      for (Matcher named = OF_GO.matcher(row); named.find(); ) {
        if (!declares(ROOT.resolve("interop/go/" + named.group(1)), "_test.go", "func " + named.group(2) + "(")) {
          missing.add(named.group());
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  /// @param declarations of which one is enough: a test, or a factory of tests
  private static boolean declares(Path directory, String fileEnd, String... declarations) throws IOException {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(file -> file.toString().endsWith(fileEnd)).toList()) {
        String source = Files.readString(file);
        if (Stream.of(declarations).anyMatch(source::contains)) {
          return true;
        }
      }
      return false;
    }
  }

  @Test
  void everyRowNamesATestOrSaysThatThereIsNone() throws IOException {
    for (String row : rows()) {
      String[] columns = row.split(" \\| ");
      assertThat(columns).as(row).hasSize(5);
      String shownBy = columns[4];
      assertThat(OF_JAVA.matcher(shownBy).find() || OF_GO.matcher(shownBy).find()
              || shownBy.contains("comes with") || shownBy.contains("no test yet"))
          .as(row)
          .isTrue();
    }
  }

  @Test
  void everyRowHasItsOwnId() throws IOException {
    assertThat(rows().stream().map(row -> row.split(" \\| ")[0])).doesNotHaveDuplicates();
  }

  private static Path repositoryRoot() {
    Path here = Path.of("").toAbsolutePath();
    while (!Files.exists(here.resolve("ARCHITECTURE.md")) && here.getParent() != null) {
      here = here.getParent();
    }
    return here;
  }
}
