package dev.kvorum.server.config;

import dev.kvorum.env.Invariant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The value of every flag while configuration is being read: defaults, overlaid by what somebody gave.
final class ConfigValues {
  private final Map<String, Object> values = new HashMap<>();
  private final Set<String> given = new HashSet<>();

  ConfigValues() {
    for (Flag flag : FlagTable.SERVER.all()) {
      values.put(flag.name(), flag.defaultValue());
    }
  }

  /// Takes a value in text form.
  void set(Flag flag, String text) throws ValueException {
    values.put(flag.name(), flag.type().parse(text, value(flag.name())));
    given.add(flag.name());
  }

  /// Takes a value that was read already.
  void put(Flag flag, Object value) {
    values.put(flag.name(), value);
    given.add(flag.name());
  }

  /// Replaces a value without counting as given.
  void rewrite(String name, Object value) {
    Invariant.check(values.containsKey(name), () -> "no flag " + name);
    values.put(name, value);
  }

  /// True when somebody set it, be it to its default.
  boolean isGiven(String name) {
    return given.contains(name);
  }

  String text(String name) {
    return (String) value(name);
  }

  boolean bool(String name) {
    return (Boolean) value(name);
  }

  /// Also durations, in nanoseconds. A `uint64` above the `long` range comes out negative.
  long number(String name) {
    return (Long) value(name);
  }

  List<GoUrl> urls(String name) {
    return ((List<?>) value(name)).stream().map(GoUrl.class::cast).toList();
  }

  List<String> strings(String name) {
    return ((List<?>) value(name)).stream().map(String.class::cast).toList();
  }

  private Object value(String name) {
    Object value = values.get(name);
    if (value == null) {
      throw Invariant.unreachable("no flag " + name);
    }
    return value;
  }
}
