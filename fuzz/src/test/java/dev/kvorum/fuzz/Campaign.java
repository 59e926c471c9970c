package dev.kvorum.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/// Runs Jazzer on one target after another, each in a JVM of its own, and tells what came of it.
///
/// ```text
/// <directory>/<target>/seeds      made anew by our own writers
///                     /corpus     what the fuzzer kept; goes on from there the next time
///                     /findings   inputs that broke something
///                     /log.txt    what the fuzzer printed
/// ```
final class Campaign {
  /// For starting a JVM, instrumenting and the last input, beyond the time for fuzzing: generous, as is the next.
  private static final long GRACE_SECONDS = 300;

  /// Wall time after which one input counts as a hang, on however busy a machine. [Driver] bounds CPU time.
  private static final int HANG_SECONDS = 60;

  /// Distinct findings to collect before a target is given up.
  private static final int FINDINGS_MAX = 20;

  /// Below this the better compiler costs more than it gives.
  private static final int WARM_SECONDS = 60;

  /// Of a log in which something was found.
  private static final int LINES_TOLD_MAX = 60;

  private static final Pattern PROGRESS =
      Pattern.compile("#(\\d+)\\s+\\w+\\s+cov: (\\d+) ft: (\\d+) corp: (\\d+)/\\S+.*");

  private final Path java;
  private final String classPath;
  private final Path directory;
  private final PrintStream out;

  /// @param classPath with this class, Jazzer and what is fuzzed
  Campaign(Path java, String classPath, Path directory, PrintStream out) {
    this.java = java;
    this.classPath = classPath;
    this.directory = directory;
    this.out = out;
  }

  /// What one target's run came to.
  ///
  /// @param runs inputs tried
  /// @param edges covered, of what the fuzzer watches
  /// @param corpus inputs kept
  /// @param exit 0 when nothing was found
  record Outcome(
      String target, double seconds, long runs, int edges, int corpus, List<Path> findings, int exit, Path log) {
    boolean isClean() {
      return exit == 0 && findings.isEmpty();
    }
  }

  /// Shares `seconds` of fuzzing among the targets.
  ///
  /// @param parallel how many to run at once
  List<Outcome> run(List<String> targets, double seconds, long seed, int parallel) throws Exception {
    long each = Math.max(1, Math.round(seconds / targets.size()));
    List<Outcome> outcomes = new ArrayList<>();
    out.printf("%-16s %8s %12s %9s %7s %7s %9s%n", "target", "seconds", "runs", "runs/s", "edges", "corpus", "findings");
    try (ExecutorService runners = Executors.newFixedThreadPool(parallel)) {
      List<Future<Outcome>> running = new ArrayList<>();
      for (String target : targets) {
        running.add(runners.submit(() -> run(target, each, seed)));
      }
      for (Future<Outcome> run : running) {
        Outcome outcome = run.get();
        outcomes.add(outcome);
        tell(outcome);
      }
    }
    return outcomes;
  }

  private Outcome run(String name, long seconds, long seed) throws Exception {
    Target target = Targets.named(name);
    Path home = directory.resolve(name);
    Path findings = Files.createDirectories(home.resolve("findings"));
    Path corpus = Files.createDirectories(home.resolve("corpus"));
    Path seeds = writeSeeds(target, home.resolve("seeds"));
    Path log = home.resolve("log.txt");
    List<Path> before = list(findings);
    List<String> command = List.of(
        java.toString(), seconds < WARM_SECONDS ? "-XX:TieredStopAtLevel=1" : "-XX:+TieredCompilation", "-Xmx256m", "-Xss1m", "-XX:+UseSerialGC", "-XX:-UsePerfData",
        "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-XX:+EnableDynamicAgentLoading",
        "-cp", classPath, "com.code_intelligence.jazzer.Jazzer",
        "--target_class=" + Driver.class.getName(),
        "--target_args=" + name,
        "--instrumentation_includes=dev.kvorum.**",
        "--instrumentation_excludes=dev.kvorum.fuzz.**:dev.kvorum.api.etcdserverpb.**:dev.kvorum.api.authpb.**:dev.kvorum.api.mvccpb.**:dev.kvorum.api.leasepb.**:dev.kvorum.api.membershippb.**:dev.kvorum.api.versionpb.**",
        "--custom_hook_excludes=**",
        "--reproducer_path=" + home,
        "--keep_going=" + FINDINGS_MAX,
        "-artifact_prefix=" + findings + "/",
        "-max_total_time=" + seconds,
        "-max_len=" + target.inputBytesMax(),
        "-len_control=0",
        "-timeout=" + HANG_SECONDS,
        "-report_slow_units=" + HANG_SECONDS,
        "-rss_limit_mb=0",
        "-seed=" + (seed & 0x7FFF_FFFF),
        corpus.toString(), seeds.toString());
    long start = System.nanoTime();
    Process process = new ProcessBuilder(command)
        .directory(home.toFile())
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
    boolean ended;
    try {
      ended = process.waitFor(seconds + GRACE_SECONDS + HANG_SECONDS, TimeUnit.SECONDS);
    } finally {
      process.destroyForcibly();
    }
    double took = (System.nanoTime() - start) / 1e9;
    List<Path> found = list(findings);
    found.removeAll(before);
    return outcome(name, took, found, ended ? process.exitValue() : -1, log);
  }

  private static Path writeSeeds(Target target, Path directory) throws Exception {
    Files.createDirectories(directory);
    for (Path old : list(directory)) {
      Files.delete(old);
    }
    List<byte[]> seeds = target.seeds();
    for (int i = 0; i < seeds.size(); i++) {
      Files.write(directory.resolve("seed-" + i), seeds.get(i));
    }
    return directory;
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return new ArrayList<>(files.sorted().toList());
    }
  }

  private static Outcome outcome(String target, double seconds, List<Path> findings, int exit, Path log)
      throws IOException {
    long runs = 0;
    int edges = 0;
    int corpus = 0;
    for (String line : Files.readAllLines(log, StandardCharsets.ISO_8859_1)) {
      Matcher matcher = PROGRESS.matcher(line);
      if (matcher.matches()) {
        runs = Long.parseLong(matcher.group(1));
        edges = Integer.parseInt(matcher.group(2));
        corpus = Integer.parseInt(matcher.group(4));
      }
    }
    return new Outcome(target, seconds, runs, edges, corpus, findings, exit, log);
  }

  private void tell(Outcome outcome) throws IOException {
    out.printf(Locale.ROOT, "%-16s %8.1f %12d %9.0f %7d %7d %9s%n", outcome.target, outcome.seconds, outcome.runs,
        outcome.runs / outcome.seconds, outcome.edges, outcome.corpus,
        outcome.isClean() ? "none" : Math.max(1, outcome.findings.size()));
    if (outcome.isClean()) {
      return;
    }
    out.println("  exit " + outcome.exit + ", see " + outcome.log);
    Files.readAllLines(outcome.log, StandardCharsets.ISO_8859_1).stream()
        .filter(line -> line.startsWith("== ") || line.startsWith("\tat dev.kvorum") || line.startsWith("Caused by"))
        .limit(LINES_TOLD_MAX)
        .forEach(line -> out.println("  " + line));
    for (Path finding : outcome.findings) {
      out.println("  bin/fuzz replay " + outcome.target + " " + finding);
      out.println("  which is what this makes: base64 -d | gunzip > " + finding.getFileName());
      out.println("  " + packed(Files.readAllBytes(finding)));
    }
  }

  /// The machine that found it may be gone when somebody reads the log.
  private static String packed(byte[] input) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(bytes)) {
      zip.write(input);
    }
    return Base64.getEncoder().encodeToString(bytes.toByteArray());
  }
}
