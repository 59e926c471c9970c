package dev.kvorum.raft.script;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A script file: commands, each followed by `----` and the output it must give, up to an empty line. An output that
/// itself has empty lines is put between double `----` lines. Lines starting with `#` between commands are comments.
record Script(Path file, List<String> lines, List<Directive> directives) {
  private static final String SEPARATOR = "----";

  /// What runs commands and keeps their state, fresh for each file.
  interface Player {
    String play(Directive directive);
  }

  /// @param failure null when every directive gave what it must
  record Verdict(Path file, int directives, int passed, @Nullable String failure) {
    boolean isPassed() {
      return failure == null;
    }
  }

  static Script read(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    List<Directive> directives = new ArrayList<>();
    int at = 0;
    while (at < lines.size()) {
      String head = lines.get(at).strip();
      int line = ++at;
      if (head.isEmpty() || head.startsWith("#")) {
        continue;
      }
      while (head.endsWith("\\") && at < lines.size()) {
        head = head.substring(0, head.length() - 1) + " " + lines.get(at++).strip();
      }
      StringBuilder input = new StringBuilder();
      while (at < lines.size() && !lines.get(at).equals(SEPARATOR)) {
        input.append(lines.get(at++)).append('\n');
      }
      at++;
      StringBuilder expected = new StringBuilder();
      at = readExpected(lines, at, expected);
      directives.add(Directive.parse(line, head, input.toString().strip(), expected.toString()));
    }
    return new Script(file, lines, directives);
  }

  private static int readExpected(List<String> lines, int from, StringBuilder expected) {
    int at = from;
    if (at < lines.size() && lines.get(at).equals(SEPARATOR)) {
      at++;
      while (at + 1 < lines.size() && !(lines.get(at).equals(SEPARATOR) && lines.get(at + 1).equals(SEPARATOR))) {
        expected.append(lines.get(at++)).append('\n');
      }
      return at + 2;
    }
    while (at < lines.size() && !lines.get(at).isBlank()) {
      expected.append(lines.get(at++)).append('\n');
    }
    return at;
  }

  /// The player this script's commands are written for.
  private Player player() {
    return switch (directives.isEmpty() ? "" : directives.get(0).command()) {
      case "committed", "vote" -> new QuorumPlayer();
      case "simple", "enter-joint", "leave-joint" -> new ConfChangePlayer();
      default -> new Theatre();
    };
  }

  /// Plays until the first directive that gives something else.
  Verdict run() {
    Player player = player();
    int passed = 0;
    for (Directive directive : directives) {
      String actual;
      try {
        actual = output(player, directive);
      } catch (RuntimeException | AssertionError e) {
        return new Verdict(file, directives.size(), passed, at(directive) + "threw " + trace(e));
      }
      if (!actual.equals(directive.expected())) {
        String difference = Difference.of(directive.expected(), actual);
        return new Verdict(file, directives.size(), passed, at(directive) + "\n" + difference);
      }
      passed++;
    }
    return new Verdict(file, directives.size(), passed, null);
  }

  /// Writes what every directive gives now into the file, keeping comments.
  void rewrite() throws IOException {
    Player player = player();
    StringBuilder text = new StringBuilder();
    int next = 0;
    int at = 0;
    while (at < lines.size()) {
      if (next == directives.size() || at + 1 < directives.get(next).line()) {
        text.append(lines.get(at++)).append('\n');
        continue;
      }
      Directive directive = directives.get(next++);
      while (at < lines.size() && !lines.get(at).equals(SEPARATOR)) {
        text.append(lines.get(at++)).append('\n');
      }
      at = readExpected(lines, at + 1, new StringBuilder());
      String output = output(player, directive);
      boolean hasBlankLine = output.lines().anyMatch(String::isBlank);
      String fence = hasBlankLine ? SEPARATOR + "\n" + SEPARATOR + "\n" : SEPARATOR + "\n";
      text.append(fence).append(output).append(hasBlankLine ? fence : "");
    }
    Files.writeString(file, text);
  }

  private static String output(Player player, Directive directive) {
    String output = player.play(directive);
    return output.isEmpty() || output.endsWith("\n") ? output : output + "\n";
  }

  private String at(Directive directive) {
    return file + ":" + directive.line() + ": " + directive.command() + " ";
  }

  private static String trace(Throwable thrown) {
    StringBuilder text = new StringBuilder(thrown.toString());
    for (StackTraceElement frame : thrown.getStackTrace()) {
      text.append("\n    at ").append(frame);
    }
    return text.toString();
  }
}
