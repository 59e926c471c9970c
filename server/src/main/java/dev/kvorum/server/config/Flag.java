package dev.kvorum.server.config;

import java.util.List;
import java.util.Locale;

/// One thing an operator can set.
///
/// @param name as on the command line, without dashes
/// @param yamlKey dotted path in the configuration file; empty when it cannot be set there
/// @param type how its text is read
/// @param defaultText what it is when nobody sets it; what the help shows when `shownDefault` is empty
/// @param shownDefault for defaults that another setting or the program decides
/// @param group the heading in the help; empty for hidden flags
/// @param help what it does, in one or more lines
/// @param pending true while we accept and check the flag but do not yet act on it
record Flag(
    String name,
    String yamlKey,
    FlagType type,
    String defaultText,
    String shownDefault,
    String group,
    String help,
    boolean pending) {
  private static final String PREFIX = "ETCD_";

  /// The environment variable that sets it.
  String variable() {
    return PREFIX + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  boolean isHidden() {
    return group.isEmpty();
  }

  Object defaultValue() {
    try {
      return switch (type) {
        case SET, LIST, URLS -> defaultText.isEmpty() ? List.of() : type.parse(defaultText, List.of());
        default -> type.parse(defaultText, defaultText);
      };
    } catch (ValueException badDefault) {
      throw new IllegalStateException("bad default of --" + name, badDefault);
    }
  }
}
