package dev.kvorum.server.log;

import dev.kvorum.server.config.GoDuration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Appends JSON to a line being built, in one of zap's two spacings.
final class JsonText {
  /// As in JSON lines: no spaces.
  static final JsonText DENSE = new JsonText(",", ":");

  /// As in console lines: a space behind each comma and colon.
  static final JsonText SPACED = new JsonText(", ", ": ");

  private static final char[] HEX = "0123456789abcdef".toCharArray();
  private static final int DEPTH_MAX = 16;

  private final String comma;
  private final String colon;

  private JsonText(String comma, String colon) {
    this.comma = comma;
    this.colon = colon;
  }

  String comma() {
    return comma;
  }

  void field(StringBuilder to, String key, @Nullable Object value) {
    string(to, key);
    to.append(colon);
    value(to, value, 0);
  }

  private void value(StringBuilder to, @Nullable Object value, int depth) {
    switch (value) {
      case null -> to.append("null");
      case String text -> string(to, text);
      case Double number when number.isNaN() || number.isInfinite() -> string(to, number.toString());
      case Float number when number.isNaN() || number.isInfinite() -> string(to, number.toString());
      case Number number -> to.append(number);
      case Boolean truth -> to.append(truth.booleanValue());
      case Duration duration -> string(to, GoDuration.format(duration.toNanos()));
      case Throwable error -> string(to, describe(error));
      case Iterable<?> items when depth < DEPTH_MAX && !(value instanceof Path) ->
          array(to, items, depth + 1);
      case Map<?, ?> map when depth < DEPTH_MAX -> object(to, map, depth + 1);
      case Object[] items when depth < DEPTH_MAX -> array(to, Arrays.asList(items), depth + 1);
      default -> string(to, value.toString());
    }
  }

  /// What an error says, or its kind when it says nothing.
  static String describe(Throwable error) {
    String message = error.getMessage();
    return message == null || message.isEmpty() ? error.getClass().getSimpleName() : message;
  }

  static void string(StringBuilder to, String text) {
    to.append('"');
    int length = text.length();
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> to.append("\\\"");
        case '\\' -> to.append("\\\\");
        case '\n' -> to.append("\\n");
        case '\r' -> to.append("\\r");
        case '\t' -> to.append("\\t");
        default -> {
          if (c < 0x20 || (Character.isSurrogate(c) && !paired(text, i))) {
            to.append("\\u").append(HEX[c >> 12 & 15]).append(HEX[c >> 8 & 15]).append(HEX[c >> 4 & 15])
                .append(HEX[c & 15]);
          } else {
            to.append(c);
          }
        }
      }
    }
    to.append('"');
  }

  private static boolean paired(String text, int at) {
    char c = text.charAt(at);
    return Character.isHighSurrogate(c)
        ? at + 1 < text.length() && Character.isLowSurrogate(text.charAt(at + 1))
        : at > 0 && Character.isHighSurrogate(text.charAt(at - 1));
  }

  private void array(StringBuilder to, Iterable<?> items, int depth) {
    to.append('[');
    boolean first = true;
    for (Object item : items) {
      if (!first) {
        to.append(comma);
      }
      first = false;
      value(to, item, depth);
    }
    to.append(']');
  }

  private void object(StringBuilder to, Map<?, ?> map, int depth) {
    to.append('{');
    boolean first = true;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      if (!first) {
        to.append(comma);
      }
      first = false;
      string(to, String.valueOf(entry.getKey()));
      to.append(colon);
      value(to, entry.getValue(), depth);
    }
    to.append('}');
  }
}
