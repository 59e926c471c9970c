package dev.kvorum.bolt.tool;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The words after a command: what stands by itself, and what follows a flag.
///
/// Flags may stand anywhere, with `=` or a space before their value, as Go's programs have them.
final class Arguments {
  private final List<String> words = new ArrayList<>();
  private final TreeMap<String, String> values = new TreeMap<>();
  private final TreeSet<String> switches = new TreeSet<>();

  /// @param valueFlags names of flags that take a value
  /// @param switchFlags names of flags that take none
  static Arguments parse(List<String> given, List<String> valueFlags, List<String> switchFlags) throws UsageException {
    Arguments arguments = new Arguments();
    for (int i = 0; i < given.size(); i++) {
      String word = given.get(i);
      if (!word.startsWith("-") || word.equals("-")) {
        arguments.words.add(word);
        continue;
      }
      int equals = word.indexOf('=');
      String name = equals < 0 ? word : word.substring(0, equals);
      name = name.equals("-o") ? "--output" : name;
      if (valueFlags.contains(name)) {
        if (equals < 0 && i + 1 == given.size()) {
          throw new UsageException("flag needs an argument: " + name);
        }
        arguments.values.put(name, equals < 0 ? given.get(++i) : word.substring(equals + 1));
      } else if (switchFlags.contains(name) && equals < 0) {
        arguments.switches.add(name);
      } else {
        throw new UsageException("unknown flag: " + word);
      }
    }
    return arguments;
  }

  /// The words, of which there must be from `min` to `max`.
  List<String> words(int min, int max) throws UsageException {
    if (words.size() < min || words.size() > max) {
      String wanted = min == max ? min + " arg(s)" : min + " to " + max + " arg(s)";
      throw new UsageException("accepts " + wanted + ", received " + words.size());
    }
    return words;
  }

  @Nullable String value(String flag) {
    return values.get(flag);
  }

  String required(String flag) throws UsageException {
    String value = values.get(flag);
    if (value == null || value.isEmpty()) {
      throw new UsageException("required flag(s) \"" + flag.substring(2) + "\" not set");
    }
    return value;
  }

  boolean has(String flag) {
    return switches.contains(flag);
  }

  int number(String flag, int fallback) throws UsageException {
    String value = values.get(flag);
    try {
      return value == null ? fallback : Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new UsageException("invalid argument \"" + value + "\" for \"" + flag + "\" flag");
    }
  }

  /// The command line is not one we know.
  static final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
      super(message);
    }
  }
}
