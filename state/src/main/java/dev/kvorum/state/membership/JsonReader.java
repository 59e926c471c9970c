package dev.kvorum.state.membership;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads the small JSON documents of the db and the log: objects, arrays, strings, integers, booleans, null.
///
/// Values come as `Map<String, Object>` (names in lower case, for Go matches them so), `List<Object>`, `String`,
/// `Number` text as [Literal], `Boolean`, or null.
final class JsonReader {
  private static final int DEPTH_MAX = 100;

  private final String text;
  private int position;
  private int depth;

  /// A number as it was written.
  record Literal(String text) {}

  private JsonReader(String text) {
    this.text = text;
  }

  /// @throws IOException when `text` is not one JSON object
  static Map<String, @Nullable Object> object(String text) throws IOException {
    JsonReader reader = new JsonReader(text);
    Object value = reader.value();
    reader.space();
    if (reader.position != text.length()) {
      throw reader.malformed("something follows the document");
    }
    if (value instanceof Map<?, ?>) {
      @SuppressWarnings("unchecked") // value() makes no other maps
      Map<String, @Nullable Object> object = (Map<String, @Nullable Object>) value;
      return object;
    }
    throw reader.malformed("not an object");
  }

  static long unsigned(Map<String, @Nullable Object> object, String name) throws IOException {
    Object value = object.get(name);
    return value == null ? 0 : toUnsigned(value, name);
  }

  static boolean flag(Map<String, @Nullable Object> object, String name) throws IOException {
    Object value = object.get(name);
    if (value != null && !(value instanceof Boolean)) {
      throw new IOException("JSON: " + name + " is no boolean");
    }
    return Boolean.TRUE.equals(value);
  }

  static String text(Map<String, @Nullable Object> object, String name) throws IOException {
    Object value = object.get(name);
    if (value != null && !(value instanceof String)) {
      throw new IOException("JSON: " + name + " is no string");
    }
    return value == null ? "" : (String) value;
  }

  /// @return null when absent or null
  static @Nullable List<String> texts(Map<String, @Nullable Object> object, String name) throws IOException {
    Object value = object.get(name);
    if (value == null) {
      return null;
    }
    if (!(value instanceof List<?> list)) {
      throw new IOException("JSON: " + name + " is no array");
    }
    List<String> texts = new ArrayList<>();
    for (Object element : list) {
      texts.add(element instanceof String string ? string : "");
    }
    return texts;
  }

  static List<Long> unsigneds(Map<String, @Nullable Object> object, String name) throws IOException {
    Object value = object.get(name);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof List<?> list)) {
      throw new IOException("JSON: " + name + " is no array");
    }
    List<Long> numbers = new ArrayList<>();
    for (Object element : list) {
      numbers.add(element == null ? 0L : toUnsigned(element, name));
    }
    return numbers;
  }

  private static long toUnsigned(Object value, String name) throws IOException {
    if (value instanceof Literal(String digits)) {
      try {
        return Long.parseUnsignedLong(digits);
      } catch (NumberFormatException _) {
        // Reported below like any other value of the wrong kind.
      }
    }
    throw new IOException("JSON: " + name + " is no unsigned number");
  }

  private @Nullable Object value() throws IOException {
    space();
    if (position == text.length()) {
      throw malformed("the document is cut off");
    }
    return switch (text.charAt(position)) {
      case '{' -> members();
      case '[' -> elements();
      case '"' -> string();
      case 't' -> literal("true", true);
      case 'f' -> literal("false", false);
      case 'n' -> literal("null", null);
      default -> number();
    };
  }

  private Map<String, @Nullable Object> members() throws IOException {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    enter();
    if (tryTake('}')) {
      depth--;
      return members;
    }
    do {
      space();
      String name = string();
      take(':');
      members.put(name.toLowerCase(Locale.ROOT), value());
    } while (tryTake(','));
    take('}');
    depth--;
    return members;
  }

  private List<@Nullable Object> elements() throws IOException {
    List<@Nullable Object> elements = new ArrayList<>();
    enter();
    if (tryTake(']')) {
      depth--;
      return elements;
    }
    do {
      elements.add(value());
    } while (tryTake(','));
    take(']');
    depth--;
    return elements;
  }

  private void enter() throws IOException {
    position++;
    if (++depth > DEPTH_MAX) {
      throw malformed("nested too deep");
    }
  }

  private String string() throws IOException {
    take('"');
    StringBuilder out = new StringBuilder();
    while (position < text.length()) {
      char c = text.charAt(position++);
      if (c == '"') {
        return out.toString();
      }
      out.append(c == '\\' ? escaped() : c);
    }
    throw malformed("a string does not end");
  }

  private char escaped() throws IOException {
    if (position == text.length()) {
      throw malformed("a string does not end");
    }
    char c = text.charAt(position++);
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        if (position + 4 > text.length()) {
          throw malformed("an escape is cut off");
        }
        try {
          char unit = (char) Integer.parseInt(text, position, position + 4, 16);
          position += 4;
          yield unit;
        } catch (NumberFormatException _) {
          throw malformed("an escape is not hexadecimal");
        }
      }
      default -> throw malformed("unknown escape");
    };
  }

  private Literal number() throws IOException {
    int start = position;
    while (position < text.length() && "+-.0123456789eE".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
    if (start == position) {
      throw malformed("unexpected character");
    }
    return new Literal(text.substring(start, position));
  }

  private @Nullable Object literal(String word, @Nullable Object value) throws IOException {
    if (!text.startsWith(word, position)) {
      throw malformed("unexpected character");
    }
    position += word.length();
    return value;
  }

  private void take(char expected) throws IOException {
    if (!tryTake(expected)) {
      throw malformed("expected " + expected);
    }
  }

  private boolean tryTake(char expected) {
    space();
    if (position < text.length() && text.charAt(position) == expected) {
      position++;
      return true;
    }
    return false;
  }

  private void space() {
    while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
  }

  private IOException malformed(String what) {
    return new IOException("JSON: " + what + " (at character " + position + ")");
  }
}
