package dev.kvorum.sim.mutant;

import dev.kvorum.sim.Simulation;
import dev.kvorum.sim.Simulator;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/// A mutant that is compiled: its classes lie in a directory of their own, which goes before ours on the class path of
/// the JVM that plays against it.
final class Planted implements AutoCloseable {
  private static final Pattern FOUND = Pattern.compile("(?m)^FOUND by ([^:]+): ");
  private static final Pattern SEEDS = Pattern.compile("(?m)^(\\d+) seeds, \\d+ with findings");
  private static final String UNSURE = "undecided";
  private static final String CLASS_PATH = System.getProperty("java.class.path");

  /// A defect may keep a story from ever ending: how much longer than asked its JVM may take.
  private static final long GRACE_SECONDS = 60;

  private final Path directory;

  private Planted(Path directory) {
    this.directory = directory;
  }

  /// What came of playing against a mutant.
  ///
  /// @param judge who found it; null when nobody did
  /// @param seeds how many were played, the finding one included; 0 when a story did not end
  record Verdict(@Nullable String judge, long seeds) {
    boolean isFound() {
      return judge != null;
    }
  }

  /// @param root of the sources
  /// @throws IllegalArgumentException when it cannot be planted, or does not compile
  static Planted plant(Mutant mutant, Path root) throws IOException {
    Map<String, String> changed = mutant.plant(root);
    Planted planted = new Planted(Files.createTempDirectory("mutant-"));
    List<String> command = new ArrayList<>(List.of("-nowarn", "-proc:none", "-implicit:none", "-cp", CLASS_PATH));
    command.addAll(List.of("-d", planted.directory.toString()));
    for (Map.Entry<String, String> file : changed.entrySet()) {
      Path source = planted.directory.resolve(file.getKey());
      Files.createDirectories(source.getParent());
      Files.writeString(source, file.getValue());
      command.add(source.toString());
    }
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    if (ToolProvider.getSystemJavaCompiler().run(null, said, said, command.toArray(String[]::new)) != 0) {
      planted.close();
      throw new IllegalArgumentException(mutant.name() + ": " + said.toString(StandardCharsets.UTF_8));
    }
    return planted;
  }

  /// Plays seeds from `start` on, in a JVM of its own, until one finds something: by a judge who is sure of it, and where
  /// nothing is found without the defect.
  Verdict play(long start, long seedsMax, double minutes) throws IOException, InterruptedException {
    long begun = System.nanoTime();
    long played = 0;
    while (true) {
      double minutesLeft = minutes - (System.nanoTime() - begun) / 6e10;
      if (played >= seedsMax || minutesLeft <= 0) {
        return new Verdict(null, played);
      }
      Verdict verdict = playOn(start + played, seedsMax - played, minutesLeft);
      played += verdict.seeds();
      if (!verdict.isFound() || !UNSURE.equals(verdict.judge()) && isClean(start + played - 1)) {
        return new Verdict(verdict.judge(), played);
      }
    }
  }

  /// The sources as they are find nothing in `seed`.
  private static boolean isClean(long seed) {
    return Simulation.play(seed, Simulator.MEMBERS_MAX, null).finding() == null;
  }

  private Verdict playOn(long start, long seedsMax, double minutes) throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                directory + File.pathSeparator + CLASS_PATH,
                Simulator.class.getName(),
                "--seeds",
                Long.toString(seedsMax),
                "--start",
                Long.toString(start),
                "--minutes",
                Double.toString(minutes),
                "--jobs",
                "1")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      if (!process.waitFor((long) (minutes * 60) + GRACE_SECONDS, TimeUnit.SECONDS)) {
        return new Verdict(null, 0);
      }
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(output);
    Matcher seeds = SEEDS.matcher(said);
    if (!seeds.find()) {
      throw new IllegalArgumentException("the simulator broke off: " + said);
    }
    Matcher found = FOUND.matcher(said);
    return new Verdict(found.find() ? found.group(1) : null, Long.parseLong(seeds.group(1)));
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
