package dev.kvorum.state.schema;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A semantic version as etcd's servers, clusters and files name themselves.
///
/// @param preRelease dot-separated, such as `rc.0`; empty for a release
public record Version(long major, long minor, long patch, String preRelease) implements Comparable<Version> {
  /// What Kvorum is compatible with, and what it calls itself on the wire.
  public static final Version SERVER = new Version(3, 7, 1, "");
  /// What a cluster calls itself before its members' versions are known.
  public static final Version MIN_CLUSTER = of(3, 0);

  public static final Version V3_5 = of(3, 5);
  public static final Version V3_6 = of(3, 6);
  public static final Version V3_7 = of(3, 7);

  private static final Pattern SEMVER =
      Pattern.compile("(\\d{1,18})\\.(\\d{1,18})\\.(\\d{1,18})(?:-([0-9A-Za-z.-]*))?(?:\\+.*)?");

  public static Version of(long major, long minor) {
    return new Version(major, minor, 0, "");
  }

  /// Reads `X.Y.Z`, with an optional pre-release and build part. @return null for anything else
  public static @Nullable Version parse(String text) {
    Matcher matcher = SEMVER.matcher(text);
    if (!matcher.matches()) {
      return null;
    }
    String preRelease = matcher.group(4);
    return new Version(
        Long.parseLong(matcher.group(1)),
        Long.parseLong(matcher.group(2)),
        Long.parseLong(matcher.group(3)),
        preRelease == null ? "" : preRelease);
  }

  /// The `X.Y.0` this belongs to, which is all that clusters and files record.
  public Version majorMinor() {
    return of(major, minor);
  }

  public boolean sameMinor(Version other) {
    return major == other.major && minor == other.minor;
  }

  public boolean isBelow(Version other) {
    return compareTo(other) < 0;
  }

  /// By precedence of semver.org §11: a pre-release comes before its release.
  @Override
  public int compareTo(Version other) {
    int order = Long.compare(major, other.major);
    order = order != 0 ? order : Long.compare(minor, other.minor);
    order = order != 0 ? order : Long.compare(patch, other.patch);
    return order != 0 ? order : comparePreReleases(preRelease, other.preRelease);
  }

  private static int comparePreReleases(String left, String right) {
    if (left.isEmpty() || right.isEmpty()) {
      return Boolean.compare(left.isEmpty(), right.isEmpty());
    }
    String[] lefts = left.split("\\.", -1);
    String[] rights = right.split("\\.", -1);
    for (int i = 0; i < Math.min(lefts.length, rights.length); i++) {
      int order = compareIdentifiers(lefts[i], rights[i]);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(lefts.length, rights.length);
  }

  private static int compareIdentifiers(String left, String right) {
    boolean leftNumeric = isNumeric(left);
    boolean rightNumeric = isNumeric(right);
    if (leftNumeric && rightNumeric) {
      return Long.compare(Long.parseLong(left), Long.parseLong(right));
    }
    return leftNumeric != rightNumeric ? Boolean.compare(rightNumeric, leftNumeric) : left.compareTo(right);
  }

  private static boolean isNumeric(String text) {
    return !text.isEmpty() && text.length() <= 18 && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  @Override
  public String toString() {
    String release = major + "." + minor + "." + patch;
    return preRelease.isEmpty() ? release : release + "-" + preRelease;
  }
}
