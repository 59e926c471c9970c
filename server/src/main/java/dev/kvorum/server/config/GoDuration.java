package dev.kvorum.server.config;

import java.math.BigDecimal;
import java.math.RoundingMode;

/// Durations as operators of etcd write and read them: Go's `time.Duration`, such as `300ms` or `1h0m0s`.
///
/// A duration is a number of nanoseconds in a `long`.
public final class GoDuration {
  private static final long MICRO = 1_000L;
  private static final long MILLI = 1_000_000L;
  private static final long SECOND = 1_000_000_000L;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final BigDecimal MAX = BigDecimal.valueOf(Long.MAX_VALUE);

  private GoDuration() {}

  /// Reads numbers with units, such as `-1.5h` or `1m30s`; `0` needs no unit.
  ///
  /// @return nanoseconds
  /// @throws ValueException with Go's text, such as `time: missing unit in duration "5"`
  public static long parse(String text) throws ValueException {
    boolean negative = text.startsWith("-");
    String rest = negative || text.startsWith("+") ? text.substring(1) : text;
    if (rest.equals("0")) {
      return 0;
    }
    if (rest.isEmpty()) {
      throw invalid(text);
    }
    BigDecimal nanos = BigDecimal.ZERO;
    int at = 0;
    while (at < rest.length()) {
      int numberEnd = endOfNumber(rest, at);
      String number = rest.substring(at, numberEnd);
      if (number.isEmpty() || number.equals(".") || number.indexOf('.') != number.lastIndexOf('.')) {
        throw invalid(text);
      }
      int unitEnd = endOfUnit(rest, numberEnd);
      String unit = rest.substring(numberEnd, unitEnd);
      if (unit.isEmpty()) {
        throw new ValueException("time: missing unit in duration " + GoText.quote(text));
      }
      long scale = scaleOf(unit);
      if (scale == 0) {
        throw new ValueException(
            "time: unknown unit " + GoText.quote(unit) + " in duration " + GoText.quote(text));
      }
      BigDecimal count = new BigDecimal(number.endsWith(".") ? number + "0" : number);
      nanos = nanos.add(count.multiply(BigDecimal.valueOf(scale)).setScale(0, RoundingMode.DOWN));
      at = unitEnd;
    }
    if (nanos.compareTo(MAX) > 0) {
      throw invalid(text);
    }
    return negative ? -nanos.longValueExact() : nanos.longValueExact();
  }

  /// Writes the shortest form Go would: `1h0m0s`, `1.5s`, `83.4µs`, `0s`.
  public static String format(long nanos) {
    if (nanos == 0) {
      return "0s";
    }
    StringBuilder text = new StringBuilder(24);
    if (nanos < 0) {
      text.append('-');
    }
    BigDecimal size = BigDecimal.valueOf(nanos).abs();
    long whole = Math.abs(nanos);
    if (whole > 0 && whole < MICRO) {
      return text.append(whole).append("ns").toString();
    }
    if (whole > 0 && whole < MILLI) {
      return decimal(text, size.movePointLeft(3)).append("µs").toString();
    }
    if (whole > 0 && whole < SECOND) {
      return decimal(text, size.movePointLeft(6)).append("ms").toString();
    }
    long hours = size.divideToIntegralValue(BigDecimal.valueOf(HOUR)).longValue();
    long minutes =
        size.divideToIntegralValue(BigDecimal.valueOf(MINUTE)).remainder(BigDecimal.valueOf(60)).longValue();
    if (hours > 0) {
      text.append(hours).append('h');
    }
    if (hours > 0 || minutes > 0) {
      text.append(minutes).append('m');
    }
    return decimal(text, size.remainder(BigDecimal.valueOf(MINUTE)).movePointLeft(9)).append('s').toString();
  }

  private static StringBuilder decimal(StringBuilder to, BigDecimal value) {
    return to.append(value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString());
  }

  private static int endOfNumber(String text, int from) {
    int at = from;
    while (at < text.length() && (text.charAt(at) == '.' || (text.charAt(at) >= '0' && text.charAt(at) <= '9'))) {
      at++;
    }
    return at;
  }

  private static int endOfUnit(String text, int from) {
    int at = from;
    while (at < text.length() && text.charAt(at) != '.' && (text.charAt(at) < '0' || text.charAt(at) > '9')) {
      at++;
    }
    return at;
  }

  /// @return nanoseconds in one unit, or 0 when there is no such unit
  private static long scaleOf(String unit) {
    return switch (unit) {
      case "ns" -> 1;
      case "us", "µs", "μs" -> MICRO;
      case "ms" -> MILLI;
      case "s" -> SECOND;
      case "m" -> MINUTE;
      case "h" -> HOUR;
      default -> 0;
    };
  }

  private static ValueException invalid(String text) {
    return new ValueException("time: invalid duration " + GoText.quote(text));
  }
}
