package dev.kvorum.state;

/// How large the db may grow before requests that make it larger are refused.
///
/// @param bytesMax 0 for no limit
public record Quota(long bytesMax) {
  public static final long DEFAULT_BYTES = 2L << 30;

  /// @param bytes as `--quota-backend-bytes` has it: 0 means 2 GiB, a negative number no limit
  public static Quota ofFlag(long bytes) {
    return new Quota(bytes == 0 ? DEFAULT_BYTES : Math.max(bytes, 0));
  }

  /// Whether `request` fits. What costs nothing always does.
  ///
  /// @param sizeBytes the db's size as of the last commit
  public boolean admits(Request request, long sizeBytes) {
    if (bytesMax == 0) {
      return true;
    }
    long cost = RequestCost.of(request);
    return cost == 0 || sizeBytes + cost < bytesMax;
  }
}
