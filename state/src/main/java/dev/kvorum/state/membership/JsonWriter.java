package dev.kvorum.state.membership;

import dev.kvorum.api.GoJson;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes one JSON object as Go's `encoding/json` would, to the byte: no spaces, fields in the order given, strings as
/// [GoJson] quotes them.
final class JsonWriter {
  private final StringBuilder out = new StringBuilder(128).append('{');

  /// An unsigned 64-bit number, in decimal.
  JsonWriter unsigned(String name, long value) {
    name(name).append(Long.toUnsignedString(value));
    return this;
  }

  JsonWriter flag(String name, boolean value) {
    name(name).append(value);
    return this;
  }

  JsonWriter text(String name, String value) {
    name(name);
    GoJson.quote(value, out);
    return this;
  }

  JsonWriter texts(String name, @Nullable List<String> values) {
    name(name);
    if (values == null) {
      out.append("null");
      return this;
    }
    out.append('[');
    for (int i = 0; i < values.size(); i++) {
      if (i > 0) {
        out.append(',');
      }
      GoJson.quote(values.get(i), out);
    }
    out.append(']');
    return this;
  }

  JsonWriter unsigneds(String name, List<Long> values) {
    name(name).append('[');
    for (int i = 0; i < values.size(); i++) {
      out.append(i > 0 ? "," : "").append(Long.toUnsignedString(values.get(i)));
    }
    out.append(']');
    return this;
  }

  /// A value that is JSON already.
  JsonWriter raw(String name, String json) {
    name(name).append(json);
    return this;
  }

  String finish() {
    return out.append('}').toString();
  }

  private StringBuilder name(String name) {
    if (out.length() > 1) {
      out.append(',');
    }
    GoJson.quote(name, out);
    return out.append(':');
  }
}
