package dev.kvorum.server.config;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Overlays `ETCD_*` variables on the flags: a flag and its variable may not both be given, and what is not understood
/// is warned about and left alone.
final class EnvironmentVariables {
  private static final String PREFIX = "ETCD_";
  private static final String SHADOWED =
      "conflicting environment variable is shadowed by corresponding command-line flag "
          + "(either unset environment variable or disable flag))";

  private EnvironmentVariables() {}

  /// @param notes receives what is to be logged
  /// @return null, or the fatal note that ends the start
  /// @throws ValueException when a variable's value is bad
  static @Nullable Note read(Map<String, String> environment, ConfigValues into, List<Note> notes)
      throws ValueException {
    Map<String, String> ours = new TreeMap<>();
    environment.forEach(
        (name, value) -> {
          if (name.startsWith(PREFIX)) {
            ours.put(name, value);
          }
        });
    String version = ours.remove("ETCD_VERSION");
    if (version != null && !version.isEmpty()) {
      notes.add(Note.warn("cannot set special environment variable", "key", "ETCD_VERSION", "value", version));
    }
    List<Flag> byName = FlagTable.SERVER.all().stream().sorted(Comparator.comparing(Flag::name)).toList();
    for (Flag flag : byName) {
      String value = ours.remove(flag.variable());
      if (value == null || value.isEmpty()) {
        continue;
      }
      if (into.isGiven(flag.name())) {
        return Note.fatal(SHADOWED, "environment-variable", flag.variable());
      }
      set(flag, value, into);
      notes.add(
          Note.info(
              "recognized and used environment variable",
              "variable-name", flag.variable(), "variable-value", value));
    }
    ours.forEach(
        (name, value) ->
            notes.add(
                Note.warn("unrecognized environment variable", "environment-variable", name + "=" + value)));
    return null;
  }

  private static void set(Flag flag, String value, ConfigValues into) throws ValueException {
    try {
      into.set(flag, value);
    } catch (ValueException e) {
      throw new ValueException(
          "invalid value " + GoText.quote(value) + " for " + flag.variable() + ": " + e.getMessage());
    }
  }
}
