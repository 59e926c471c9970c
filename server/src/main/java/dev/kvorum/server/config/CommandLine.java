package dev.kvorum.server.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads words of a command line by the rules of Go's `flag` package.
///
/// One dash or two mean the same. A value follows `=` or is the next word; a flag of type bool takes one only behind
/// `=`. A flag may repeat, the last wins. The first word that is no flag, or `--`, ends the flags.
final class CommandLine {
  /// What reading came to.
  sealed interface Result {}

  /// @param rest words behind the flags
  record Flags(List<String> rest) implements Result {}

  /// Help was asked for before anything wrong was met.
  record Help() implements Result {}

  /// @param why one line for the operator
  record Bad(String why) implements Result {}

  private CommandLine() {}

  static Result read(List<String> words, ConfigValues into) {
    int at = 0;
    while (at < words.size()) {
      String word = words.get(at);
      if (word.length() < 2 || word.charAt(0) != '-') {
        break;
      }
      at++;
      if (word.equals("--")) {
        break;
      }
      String body = word.substring(word.startsWith("--") ? 2 : 1);
      if (body.isEmpty() || body.startsWith("-") || body.startsWith("=")) {
        return new Bad("bad flag syntax: " + word);
      }
      int equals = body.indexOf('=');
      String name = equals < 0 ? body : body.substring(0, equals);
      String value = equals < 0 ? null : body.substring(equals + 1);
      Flag flag = FlagTable.SERVER.find(name);
      if (flag == null) {
        return isHelp(name) ? new Help() : new Bad("flag provided but not defined: -" + name);
      }
      if (value == null && !flag.type().standsAlone()) {
        if (at == words.size()) {
          return new Bad("flag needs an argument: -" + name);
        }
        value = words.get(at++);
      }
      Bad bad = set(flag, value, into);
      if (bad != null) {
        return bad;
      }
    }
    return new Flags(List.copyOf(words.subList(at, words.size())));
  }

  private static @Nullable Bad set(Flag flag, @Nullable String value, ConfigValues into) {
    try {
      into.set(flag, value == null ? "true" : value);
      return null;
    } catch (ValueException e) {
      String quoted = GoText.quote(value == null ? "true" : value);
      return flag.type() == FlagType.BOOL
          ? new Bad("invalid boolean value " + quoted + " for -" + flag.name() + ": " + e.getMessage())
          : new Bad("invalid value " + quoted + " for flag -" + flag.name() + ": " + e.getMessage());
    }
  }

  private static boolean isHelp(String name) {
    return name.equals("help") || name.equals("h");
  }
}
