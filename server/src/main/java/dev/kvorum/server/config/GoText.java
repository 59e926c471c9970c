package dev.kvorum.server.config;

import java.math.BigInteger;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Numbers, truth values and quotes as the Go program's operators know them.
final class GoText {
  private GoText() {}

  /// `text` in double quotes, with what cannot be printed escaped.
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
    text.codePoints().forEach(c -> appendQuoted(quoted, c));
    return quoted.append('"').toString();
  }

  private static void appendQuoted(StringBuilder to, int c) {
    switch (c) {
      case '"' -> to.append("\\\"");
      case '\\' -> to.append("\\\\");
      case '\n' -> to.append("\\n");
      case '\r' -> to.append("\\r");
      case '\t' -> to.append("\\t");
      case 7 -> to.append("\\a");
      case 8 -> to.append("\\b");
      case 12 -> to.append("\\f");
      case 11 -> to.append("\\v");
      default -> {
        if (c < 0x20 || c == 0x7f) {
          to.append(String.format(Locale.ROOT, "\\x%02x", c));
        } else {
          to.appendCodePoint(c);
        }
      }
    }
  }

  /// @throws ValueException `parse error` for anything but the twelve spellings
  static boolean parseBool(String text) throws ValueException {
    return switch (text) {
      case "1", "t", "T", "true", "TRUE", "True" -> true;
      case "0", "f", "F", "false", "FALSE", "False" -> false;
      default -> throw new ValueException("parse error");
    };
  }

  /// Reads a whole number with Go's prefixes (`0x`, `0b`, `0o`, a leading 0) and underscores between digits.
  ///
  /// @return null when it is no such number
  static @Nullable BigInteger parseInteger(String text, boolean signed) {
    String digits = text;
    boolean negative = false;
    if (signed && (digits.startsWith("-") || digits.startsWith("+"))) {
      negative = digits.startsWith("-");
      digits = digits.substring(1);
    }
    int radix = 10;
    boolean underscoreMayLead = false;
    String lower = digits.toLowerCase(Locale.ROOT);
    if (lower.startsWith("0x") || lower.startsWith("0b") || lower.startsWith("0o")) {
      radix = lower.charAt(1) == 'x' ? 16 : lower.charAt(1) == 'b' ? 2 : 8;
      digits = digits.substring(2);
      underscoreMayLead = true;
    } else if (digits.length() > 1 && digits.startsWith("0")) {
      radix = 8;
      digits = digits.substring(1);
      underscoreMayLead = true;
    }
    if (digits.endsWith("_") || digits.contains("__") || (digits.startsWith("_") && !underscoreMayLead)) {
      return null;
    }
    digits = digits.replace("_", "");
    if (digits.isEmpty() || digits.startsWith("-") || digits.startsWith("+")) {
      return null;
    }
    try {
      BigInteger value = new BigInteger(digits, radix);
      return negative ? value.negate() : value;
    } catch (NumberFormatException notANumber) {
      return null;
    }
  }
}
