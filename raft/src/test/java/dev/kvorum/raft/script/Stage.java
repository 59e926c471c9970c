package dev.kvorum.raft.script;

import dev.kvorum.raft.RaftLog;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/// What a directive prints, with the log level that filters it. Bodies can be indented.
final class Stage implements RaftLog {
  private static final List<String> LEVELS = List.of("DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE");
  private static final int NONE = 5;

  private StringBuilder text = new StringBuilder();
  private int level;

  boolean isSilent() {
    return level == NONE;
  }

  void print(String more) {
    if (!isSilent()) {
      text.append(more);
    }
  }

  void println(String line) {
    print(line + "\n");
  }

  /// What was printed since the last call.
  String take() {
    String taken = text.toString();
    text.setLength(0);
    return taken;
  }

  /// Runs `body`; every line it prints is set in by two spaces.
  void indented(Runnable body) {
    StringBuilder outer = text;
    text = new StringBuilder();
    try {
      body.run();
    } finally {
      String inner = text.toString();
      text = outer;
      inner.lines().forEach(line -> println("  " + line));
    }
  }

  int level() {
    return level;
  }

  void setLevel(int number) {
    level = number;
  }

  /// @throws IllegalArgumentException with the text the script expects
  static int levelNumber(String name) {
    int number = LEVELS.indexOf(name.toUpperCase(Locale.ROOT));
    if (number < 0) {
      throw new IllegalArgumentException(
          "log levels must be either of [" + String.join(" ", LEVELS) + "]");
    }
    return number;
  }

  @Override
  public void log(Level at, Supplier<String> message) {
    if (level <= at.ordinal()) {
      println(LEVELS.get(at.ordinal()) + " " + message.get());
    }
  }
}
