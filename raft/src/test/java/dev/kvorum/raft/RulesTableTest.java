package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;

/// docs/RAFT-RULES.md claims only what a test shows: each rule has a section and a test, each test named is run and
/// names the section too, and no test that names a section is forgotten.
class RulesTableTest {
  private static final Path ROOT = repositoryRoot();
  private static final Path TESTS = ROOT.resolve("raft/src/test/java");
  private static final Pattern SECTION = Pattern.compile("Raft (paper|thesis) (§\\d+(\\.\\d+)*|figure \\d+)|etcd raft");
  private static final Pattern NAME = Pattern.compile("`(?:(\\w+)/)?(\\w+Test)\\.(\\w+)`");
  private static final Pattern DECLARATION = Pattern.compile("^  (?:void|Stream<DynamicTest>) (\\w+)\\(");

  /// @param sections as [#SECTION] finds them
  private record Row(String rule, Set<String> sections, List<Named> tests, String shownBy) {}

  /// @param module the one the test is in
  private record Named(String module, String simpleClass, String method) {
    boolean isOurs() {
      return module.equals("raft");
    }

    String name() {
      return simpleClass + "." + method;
    }
  }

  private final Map<String, List<Path>> testsOf = new HashMap<>();

  private static List<Row> rows() throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String line : Files.readAllLines(ROOT.resolve("docs/RAFT-RULES.md"))) {
      if (!line.startsWith("| ") || line.startsWith("| rule |")) {
        continue;
      }
      String[] cells = line.substring(2).split(" \\| | \\|$");
      assertThat(cells).as(line).hasSize(3);
      List<Named> tests =
          NAME.matcher(cells[2])
              .results()
              .map(m -> new Named(m.group(1) == null ? "raft" : m.group(1), m.group(2), m.group(3)))
              .toList();
      rows.add(new Row(cells[0], sectionsIn(cells[1]), tests, cells[2]));
    }
    assertThat(rows).hasSizeGreaterThan(100);
    return rows;
  }

  private static Set<String> sectionsIn(String text) {
    Set<String> sections = new TreeSet<>();
    SECTION.matcher(text).results().forEach(found -> sections.add(found.group()));
    return sections;
  }

  @Test
  void everyRuleHasASectionAndATestOrSaysWhyNot() throws IOException {
    for (Row row : rows()) {
      assertThat(row.sections()).as(row.rule()).isNotEmpty();
      assertThat(!row.tests().isEmpty() || row.shownBy().startsWith("does not apply: ")).as(row.rule()).isTrue();
      // What a name was meant to be and is not must not pass for a remark.
      String rest = NAME.matcher(row.shownBy()).replaceAll("");
      assertThat(row.tests().isEmpty() ? "" : rest).as(row.rule()).matches("[, ]*");
    }
    assertThat(rows().stream().map(Row::rule)).doesNotHaveDuplicates();
  }

  @Test
  void everyTestThatIsNamedIsRun() throws IOException, ClassNotFoundException {
    List<Named> missing = new ArrayList<>();
    for (Row row : rows()) {
      for (Named test : row.tests()) {
        if (!(test.isOurs() ? isRunHere(test) : isDeclared(test))) {
          missing.add(test);
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  private boolean isRunHere(Named test) throws IOException, ClassNotFoundException {
    Path file = sourceOf(test);
    if (file == null) {
      return false;
    }
    String path = TESTS.relativize(file).toString().replace(".java", "");
    String name = path.replace(file.getFileSystem().getSeparator(), ".");
    Class<?> type = Class.forName(name, false, RulesTableTest.class.getClassLoader());
    return Arrays.stream(type.getDeclaredMethods())
        .anyMatch(method -> method.getName().equals(test.method()) && isTest(method));
  }

  private static boolean isTest(Method method) {
    return method.isAnnotationPresent(Test.class)
        || method.isAnnotationPresent(ParameterizedTest.class)
        || method.isAnnotationPresent(TestFactory.class);
  }

  /// Other modules' tests are not on our class path: their source must do.
  private boolean isDeclared(Named test) throws IOException {
    Path file = sourceOf(test);
    return file != null && Files.readString(file).contains("void " + test.method() + "(");
  }

  private @Nullable Path sourceOf(Named test) throws IOException {
    List<Path> files = testsOf.get(test.module());
    if (files == null) {
      files = testsIn(ROOT.resolve(test.module()).resolve("src/test/java"));
      testsOf.put(test.module(), files);
    }
    return files.stream().filter(file -> file.endsWith(test.simpleClass() + ".java")).findFirst().orElse(null);
  }

  private static List<Path> testsIn(Path root) throws IOException {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(file -> file.toString().endsWith("Test.java")).toList();
    }
  }

  @Test
  void everyTestNamesTheSectionsOfItsRules() throws IOException {
    Map<String, Set<String>> named = sectionsByTest();
    List<String> silent = new ArrayList<>();
    for (Row row : rows()) {
      for (Named test : row.tests()) {
        if (test.isOurs() && !named.getOrDefault(test.name(), Set.of()).containsAll(row.sections())) {
          silent.add(test.name() + " does not name " + row.sections());
        }
      }
    }
    assertThat(silent).isEmpty();
  }

  @Test
  void everyTestThatNamesASectionIsInTheTable() throws IOException {
    Map<String, Set<String>> listed = new TreeMap<>();
    for (Row row : rows()) {
      for (Named test : row.tests()) {
        listed.computeIfAbsent(test.name(), name -> new TreeSet<>()).addAll(row.sections());
      }
    }
    List<String> forgotten = new ArrayList<>();
    sectionsByTest()
        .forEach(
            (test, sections) -> {
              if (!listed.getOrDefault(test, Set.of()).containsAll(sections)) {
                forgotten.add(test + " names " + sections);
              }
            });
    assertThat(forgotten).isEmpty();
  }

  /// What the `///` comment above each of our test methods names. Nothing but annotations stands between the two.
  private static Map<String, Set<String>> sectionsByTest() throws IOException {
    Map<String, Set<String>> sections = new TreeMap<>();
    for (Path file : testsIn(TESTS)) {
      String type = file.getFileName().toString().replace(".java", "");
      List<String> paragraph = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        Matcher declaration = DECLARATION.matcher(line);
        if (declaration.find()) {
          sections.put(type + "." + declaration.group(1), sectionsIn(String.join("", paragraph)));
        }
        if (line.isBlank()) {
          paragraph.clear();
        } else if (line.startsWith("  ///")) {
          paragraph.add(line.substring("  ///".length()));
        }
      }
    }
    return sections;
  }

  private static Path repositoryRoot() {
    Path here = Path.of("").toAbsolutePath();
    while (!Files.exists(here.resolve("ARCHITECTURE.md")) && here.getParent() != null) {
      here = here.getParent();
    }
    return here;
  }
}
