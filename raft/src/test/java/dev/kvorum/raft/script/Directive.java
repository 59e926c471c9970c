package dev.kvorum.raft.script;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One command of a script, with the output it must give.
///
/// @param line of the command in its file, from 1
/// @param input lines between the command and `----`, trimmed as a whole
/// @param expected ends every line with a newline
record Directive(int line, String command, List<Argument> arguments, String input, String expected) {
  /// @param values null for a bare key, as a list of one for `key=value`
  record Argument(String key, List<String> values) {
    boolean isBare() {
      return values.isEmpty();
    }

    String value() {
      if (values.size() != 1) {
        throw new ScriptException("argument " + key + " wants one value");
      }
      return values.get(0);
    }
  }

  Optional<Argument> argument(String key) {
    return arguments.stream().filter(a -> a.key().equals(key) && !a.isBare()).findFirst();
  }

  String string(String key, String otherwise) {
    return argument(key).map(Argument::value).orElse(otherwise);
  }

  long number(String key, long otherwise) {
    return argument(key).map(a -> Long.parseLong(a.value())).orElse(otherwise);
  }

  boolean flag(String key) {
    return argument(key).map(a -> parseBoolean(a.value())).orElse(false);
  }

  List<String> strings(String key) {
    return argument(key).map(Argument::values).orElse(List.of());
  }

  List<Long> numbers(String key) {
    return strings(key).stream().map(Long::parseLong).toList();
  }

  /// The key of the argument at `position`.
  String key(int position) {
    if (position >= arguments.size()) {
      throw new ScriptException(command + " wants more arguments");
    }
    return arguments.get(position).key();
  }

  /// The bare arguments, as node ids.
  List<Long> ids() {
    return arguments.stream().filter(Argument::isBare).map(a -> Long.parseLong(a.key())).toList();
  }

  private static boolean parseBoolean(String text) {
    return switch (text) {
      case "1", "t", "T", "true", "TRUE", "True" -> true;
      case "0", "f", "F", "false", "FALSE", "False" -> false;
      default -> throw new ScriptException("not a boolean: " + text);
    };
  }

  /// Parses `command key key=value key=(value, value)`.
  static Directive parse(int line, String text, String input, String expected) {
    String trimmed = text.strip();
    int space = trimmed.indexOf(' ');
    String command = space < 0 ? trimmed : trimmed.substring(0, space);
    String rest = space < 0 ? "" : trimmed.substring(space).strip();
    List<Argument> arguments = new ArrayList<>();
    int at = 0;
    while (at < rest.length()) {
      if (rest.charAt(at) == ' ') {
        at++;
        continue;
      }
      int end = at;
      while (end < rest.length() && rest.charAt(end) != ' ' && rest.charAt(end) != '=') {
        end++;
      }
      String key = rest.substring(at, end);
      if (end == rest.length() || rest.charAt(end) == ' ') {
        arguments.add(new Argument(key, List.of()));
        at = end;
      } else if (end + 1 < rest.length() && rest.charAt(end + 1) == '(') {
        int close = closing(rest, end + 1);
        arguments.add(new Argument(key, splitList(rest.substring(end + 2, close))));
        at = close + 1;
      } else {
        int stop = rest.indexOf(' ', end);
        stop = stop < 0 ? rest.length() : stop;
        arguments.add(new Argument(key, List.of(rest.substring(end + 1, stop))));
        at = stop;
      }
    }
    return new Directive(line, command, arguments, input, expected);
  }

  private static int closing(String text, int open) {
    int depth = 0;
    for (int i = open; i < text.length(); i++) {
      depth += text.charAt(i) == '(' ? 1 : text.charAt(i) == ')' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new ScriptException("unbalanced parentheses: " + text);
  }

  private static List<String> splitList(String text) {
    List<String> values = new ArrayList<>();
    int depth = 0;
    int from = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i == text.length() || (text.charAt(i) == ',' && depth == 0)) {
        values.add(text.substring(from, i));
        from = i + 1;
        while (from < text.length() && text.charAt(from) == ' ') {
          from++;
        }
      } else {
        depth += text.charAt(i) == '(' ? 1 : text.charAt(i) == ')' ? -1 : 0;
      }
    }
    return values;
  }
}
