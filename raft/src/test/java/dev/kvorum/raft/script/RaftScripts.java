package dev.kvorum.raft.script;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// The program behind `bin/raft-scripts`: plays every `*.txt` below the given directories (or the given files) and
/// says of each whether our raft does what the script expects.
///
/// Exits 0 only if there were scripts and all passed, 1 when one did not, 2 when it does not understand what to play.
/// `--rewrite` writes what is given now into the files instead.
public final class RaftScripts {
  private RaftScripts() {}

  public static void main(String[] arguments) throws IOException {
    System.exit(run(Arrays.asList(arguments), System.out));
  }

  static int run(List<String> arguments, PrintStream out) throws IOException {
    boolean rewrite = arguments.contains("--rewrite");
    List<Path> files = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.equals("--rewrite")) {
        continue;
      }
      List<Path> found = argument.startsWith("-") ? List.of() : scriptsIn(Path.of(argument));
      if (found.isEmpty()) {
        out.println("raft-scripts: no *.txt at " + argument);
        return usage(out);
      }
      files.addAll(found);
    }
    if (files.isEmpty()) {
      return usage(out);
    }
    int failed = 0;
    int directives = 0;
    int passed = 0;
    for (Path file : files) {
      if (rewrite) {
        Script.read(file).rewrite();
        continue;
      }
      Script.Verdict verdict = play(file);
      directives += verdict.directives();
      passed += verdict.passed();
      failed += verdict.isPassed() ? 0 : 1;
      out.println(
          (verdict.isPassed() ? "pass  " : "FAIL  ") + verdict.passed() + "/" + verdict.directives() + "  " + file);
      if (verdict.failure() != null) {
        out.println(verdict.failure().indent(6));
      }
    }
    if (!rewrite) {
      out.println(
          (files.size() - failed) + " of " + files.size() + " files, " + passed + " of " + directives
              + " directives passed");
    }
    return failed == 0 ? 0 : 1;
  }

  private static int usage(PrintStream out) {
    out.println("usage: raft-scripts [--rewrite] DIRECTORY...");
    return 2;
  }

  /// A file that is no script fails, and the others are played all the same.
  private static Script.Verdict play(Path file) throws IOException {
    try {
      Script.Verdict verdict = Script.read(file).run();
      return verdict.directives() > 0 ? verdict : new Script.Verdict(file, 0, 0, file + ": not one directive");
    } catch (ScriptException | CharacterCodingException e) {
      return new Script.Verdict(file, 0, 0, file + ": " + e);
    }
  }

  /// The scripts at or below `root`, in path order.
  static List<Path> scriptsIn(Path root) throws IOException {
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> walk = Files.walk(root)) {
      return walk.filter(f -> f.getFileName().toString().endsWith(".txt") && Files.isRegularFile(f))
          .sorted()
          .toList();
    }
  }
}
