package dev.kvorum.server;

import java.util.Locale;

/// Byte counts for people, in steps of 1000: `20 kB`, `2.1 GB`.
final class ByteSize {
  private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

  private ByteSize() {}

  /// One decimal below ten of a unit, none above.
  static String text(long bytes) {
    if (bytes < 10) {
      return bytes + " B";
    }
    int unit = (int) Math.floor(Math.log(bytes) / Math.log(1000));
    double value = Math.floor(bytes / Math.pow(1000, unit) * 10 + 0.5) / 10;
    return String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
  }
}
