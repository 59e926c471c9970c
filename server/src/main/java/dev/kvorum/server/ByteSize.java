package dev.kvorum.server;

import java.util.Locale;

/// Byte counts for people, in steps of 1000: `20 kB`, `2.1 GB`.
final class ByteSize {
  private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

  private ByteSize() {}

  /// One decimal below ten of a unit, none above; a half goes to the even neighbour.
  static String text(long bytes) {
    if (bytes < 10) {
      return bytes + " B";
    }
    int unit = (int) Math.floor(Math.log(bytes) / Math.log(1000));
    double value = Math.floor(bytes / Math.pow(1000, unit) * 10 + 0.5) / 10;
    return value < 10
        ? String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit])
        : (long) Math.rint(value) + " " + UNITS[unit];
  }
}
