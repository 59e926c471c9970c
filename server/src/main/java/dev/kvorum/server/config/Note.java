package dev.kvorum.server.config;

import java.util.ArrayList;
import java.util.List;

/// A log line from before there is a log: configuration decides where lines go, and has something to say itself.
///
/// @param fields keys and values in turn
public record Note(Level level, String message, List<Object> fields) {
  /// How loud. FATAL is the line with which the process ends.
  public enum Level {
    INFO,
    WARN,
    FATAL
  }

  static Note info(String message, Object... fields) {
    return new Note(Level.INFO, message, List.of(fields));
  }

  static Note warn(String message, Object... fields) {
    return new Note(Level.WARN, message, List.of(fields));
  }

  static Note fatal(String message, Object... fields) {
    return new Note(Level.FATAL, message, List.of(fields));
  }

  /// `notes` and one more.
  static List<Note> plus(List<Note> notes, Note... more) {
    List<Note> all = new ArrayList<>(notes);
    all.addAll(List.of(more));
    return List.copyOf(all);
  }
}
