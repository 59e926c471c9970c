package dev.kvorum;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Failpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The repository checked by itself: module edges, the world rule, links between documents, names.
class TidyTest {
  private static final Path ROOT = repositoryRoot();

  /// Which of our modules each module may use, beyond itself: the table of ARCHITECTURE.md.
  private static final Map<String, Set<String>> EDGES =
      Map.ofEntries(
          Map.entry("env", Set.of()),
          Map.entry("api", Set.of()),
          Map.entry("raft", Set.of("env")),
          Map.entry("bolt", Set.of("env")),
          Map.entry("wal", Set.of("env", "api", "raft")),
          Map.entry("state", Set.of("env", "api", "bolt")),
          Map.entry("member", Set.of("env", "api", "raft", "bolt", "wal", "state")),
          Map.entry("sim", Set.of("env", "api", "raft", "bolt", "wal", "state", "member")),
          Map.entry("server", Set.of("env", "api", "raft", "bolt", "wal", "state", "member")),
          Map.entry("interop", Set.of()),
          Map.entry("bench", Set.of("api")),
          Map.entry("fuzz", Set.of("env", "api", "raft", "bolt", "wal", "state")));

  /// Modules that reach the world through `env` alone.
  private static final List<String> PURE = List.of("raft", "bolt", "wal", "state", "member");

  private static final List<Pattern> WORLD =
      Stream.of(
              "System\\.(nanoTime|currentTimeMillis|getProperty|getenv)",
              "Instant\\.now",
              "ThreadLocalRandom",
              "new (Secure)?Random\\(",
              "Math\\.random",
              "new Thread\\(",
              "Thread\\.(start|ofVirtual|sleep)",
              "Executors\\.",
              "ForkJoinPool",
              "new Timer\\(",
              "FileChannel\\.open",
              "RandomAccessFile",
              "Files\\.(?!lines)",
              "new Socket|ServerSocket|SocketChannel",
              "\\bSet\\.of\\(",
              "\\bMap\\.of\\(",
              "\\bsynchronized\\b",
              "ReentrantLock|ReadWriteLock")
          .map(Pattern::compile)
          .toList();

  @Test
  void modulesUseOnlyWhatTheyMay() throws IOException {
    Pattern use = Pattern.compile("dev\\.kvorum\\.(env|api|raft|bolt|wal|state|member|sim|server|interop|bench)\\b");
    List<String> crossings = new ArrayList<>();
    for (Map.Entry<String, Set<String>> module : EDGES.entrySet()) {
      for (Path file : sources(module.getKey(), "main")) {
        for (String line : Files.readAllLines(file)) {
          Matcher matcher = use.matcher(line);
          while (matcher.find()) {
            String used = matcher.group(1);
            if (!used.equals(module.getKey()) && !module.getValue().contains(used)) {
              crossings.add(ROOT.relativize(file) + ": " + line.strip());
            }
          }
        }
      }
    }
    assertThat(crossings).isEmpty();
  }

  @Test
  void pomsDeclareNoOtherEdges() throws IOException {
    Pattern dependency =
        Pattern.compile("<groupId>dev\\.kvorum</groupId>\\s*<artifactId>(\\w+)</artifactId>(?!\\s*<version>)");
    for (Map.Entry<String, Set<String>> module : EDGES.entrySet()) {
      String pom = Files.readString(ROOT.resolve(module.getKey()).resolve("pom.xml"));
      Set<String> declared = new TreeSet<>();
      Matcher matcher = dependency.matcher(pom);
      while (matcher.find()) {
        declared.add(matcher.group(1));
      }
      assertThat(module.getValue()).as(module.getKey() + "/pom.xml").containsAll(declared);
    }
  }

  @Test
  void nothingBelowServerReachesTheWorldExceptThroughEnv() throws IOException {
    List<String> breaches = new ArrayList<>();
    for (String module : PURE) {
      for (Path file : sources(module, "main")) {
        int number = 0;
        for (String line : Files.readAllLines(file)) {
          number++;
          String code = line.replaceFirst("//.*", "");
          for (Pattern forbidden : WORLD) {
            if (forbidden.matcher(code).find()) {
              breaches.add(ROOT.relativize(file) + ":" + number + ": " + line.strip());
            }
          }
        }
      }
    }
    assertThat(breaches).isEmpty();
  }

  /// Harnesses plant by name: a name that no code comes to would look like a defect that does no harm.
  @Test
  void eachFailpointIsReachedSomewhere() throws IOException {
    StringBuilder code = new StringBuilder();
    for (String module : EDGES.keySet()) {
      for (Path file : sources(module, "main")) {
        code.append(Files.readString(file));
      }
    }
    assertThat(Failpoint.values()).allSatisfy(failpoint -> assertThat(code).contains("Failpoint." + failpoint.name()));
  }

  @Test
  void testsNeitherSleepNorHide() throws IOException {
    Pattern forbidden = Pattern.compile("Thread\\." + "sleep|TimeUnit\\.\\w+\\.sleep|@" + "Disabled");
    List<String> found = new ArrayList<>();
    for (String module : EDGES.keySet()) {
      for (Path file : sources(module, "test")) {
        if (forbidden.matcher(Files.readString(file)).find()) {
          found.add(ROOT.relativize(file).toString());
        }
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void linksBetweenDocumentsLeadSomewhere() throws IOException {
    Pattern link = Pattern.compile("\\]\\((?!https?:|#|mailto:)([^)#\\s]+)(#[^)]*)?\\)");
    List<String> dead = new ArrayList<>();
    try (Stream<Path> walk = Files.walk(ROOT)) {
      for (Path document : (Iterable<Path>) walk.filter(TidyTest::isOurDocument)::iterator) {
        Matcher matcher = link.matcher(Files.readString(document));
        while (matcher.find()) {
          if (!Files.exists(document.resolveSibling(matcher.group(1)))) {
            dead.add(ROOT.relativize(document) + " -> " + matcher.group(1));
          }
        }
      }
    }
    assertThat(dead).isEmpty();
  }

  @Test
  void namesSayWhatThingsAre() throws IOException {
    Pattern weak = Pattern.compile(".*(Impl|Manager|Helpers?|Utils?|Base)\\.java");
    List<String> found = new ArrayList<>();
    for (String module : EDGES.keySet()) {
      for (Path file : sources(module, "main")) {
        if (weak.matcher(file.getFileName().toString()).matches()) {
          found.add(ROOT.relativize(file).toString());
        }
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void everyPackageHasAPage() throws IOException {
    Set<Path> without = new TreeSet<>();
    for (String module : EDGES.keySet()) {
      for (Path file : sources(module, "main")) {
        if (!Files.exists(file.resolveSibling("package-info.java"))) {
          without.add(ROOT.relativize(file.getParent()));
        }
      }
    }
    assertThat(without).isEmpty();
  }

  private static boolean isOurDocument(Path path) {
    String relative = ROOT.relativize(path).toString();
    return relative.endsWith(".md") && !relative.contains("target") && !relative.startsWith(".git");
  }

  private static List<Path> sources(String module, String kind) throws IOException {
    Path root = ROOT.resolve(module).resolve("src").resolve(kind).resolve("java");
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> walk = Files.walk(root)) {
      return walk.filter(path -> path.toString().endsWith(".java")).sorted().toList();
    }
  }

  private static Path repositoryRoot() {
    Path here = Path.of("").toAbsolutePath();
    while (!Files.exists(here.resolve("ARCHITECTURE.md")) && here.getParent() != null) {
      here = here.getParent();
    }
    return here;
  }
}
