package dev.kvorum.api;

/// Strings as Go's `encoding/json` writes them, to the byte: members written by Go and by us compare what they stored.
///
/// Its escapes guard against HTML too: they cover `<`, `>`, `&`, U+2028 and U+2029.
public final class GoJson {
  private GoJson() {}

  /// Appends `value` in quotes.
  public static void quote(String value, StringBuilder json) {
    json.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\n' -> json.append("\\n");
        case '\r' -> json.append("\\r");
        case '\t' -> json.append("\\t");
        case '\b' -> json.append("\\b");
        case '\f' -> json.append("\\f");
        case '<', '>', '&', '\u2028', '\u2029' -> escape(c, json);
        default -> {
          if (c < 0x20) {
            escape(c, json);
          } else {
            json.append(c);
          }
        }
      }
    }
    json.append('"');
  }

  private static void escape(char c, StringBuilder json) {
    json.append("\\u").append(Integer.toHexString(0x10000 | c), 1, 5);
  }
}
