package dev.kvorum.bench;

import java.util.ArrayList;
import java.util.List;

/// The words of a command line: a command, then options with their values, each taken out when asked for.
///
/// Whatever is wrong is an IllegalArgumentException with a text for the user.
final class Arguments {
  private final List<String> words;
  private final String command;

  Arguments(String[] args) {
    words = new ArrayList<>(List.of(args));
    if (words.isEmpty()) {
      throw new IllegalArgumentException("which row?");
    }
    command = words.removeFirst();
  }

  String command() {
    return command;
  }

  String text(String option, String otherwise) {
    int at = words.indexOf(option);
    if (at < 0) {
      return otherwise;
    }
    if (at + 1 == words.size()) {
      throw new IllegalArgumentException(option + " needs a value");
    }
    words.remove(at);
    return words.remove(at);
  }

  int number(String option, int otherwise, int min, int max) {
    String text = text(option, "");
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(option + " takes a number from " + min + " to " + max + ", not " + text);
  }

  /// To be called last.
  void mustBeUsedUp() {
    if (!words.isEmpty()) {
      throw new IllegalArgumentException("not understood: " + String.join(" ", words));
    }
  }
}
