package dev.kvorum.server.metrics;

import java.math.BigDecimal;

/// Numbers as Go's Prometheus library writes them, so that bucket names and values compare equal as text: `0.001`,
/// `524288`, `1.048576e+06`, `+Inf`.
final class GoFloat {
  private static final int PLAIN_DIGITS = 6;
  private static final int PLAIN_ZEROS = 4;

  private GoFloat() {}

  static String format(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0" : "0";
    }
    if (value == Math.rint(value) && Math.abs(value) < 1e6) {
      return Long.toString((long) value);
    }
    BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    String digits = shortest.unscaledValue().abs().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    if (exponent >= -PLAIN_ZEROS && exponent < PLAIN_DIGITS) {
      return shortest.toPlainString();
    }
    StringBuilder text = new StringBuilder(24);
    if (value < 0) {
      text.append('-');
    }
    text.append(digits.charAt(0));
    if (digits.length() > 1) {
      text.append('.').append(digits, 1, digits.length());
    }
    text.append('e').append(exponent < 0 ? '-' : '+');
    int size = Math.abs(exponent);
    return text.append(size < 10 ? "0" : "").append(size).toString();
  }
}
