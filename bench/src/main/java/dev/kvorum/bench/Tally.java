package dev.kvorum.bench;

import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/// What became of the requests that were due during one stretch of time. Written by the loop that sends them, read by
/// whoever asked for it.
final class Tally {
  private static final long NANOS_MAX = 600_000_000_000L;

  private final Histogram nanos = new Histogram(1_000, NANOS_MAX, 3);
  private final Map<Integer, Long> refused = new TreeMap<>();
  private long due;
  private String firstError = "";

  synchronized void due() {
    due++;
  }

  /// An answer, so long after the request was due.
  synchronized void answered(long tookNanos) {
    nanos.recordValue(Math.clamp(tookNanos, 0, NANOS_MAX));
  }

  /// Answered by a gRPC status other than OK.
  synchronized void refused(int status, String text) {
    refused.merge(status, 1L, Long::sum);
    if (firstError.isEmpty()) {
      firstError = "status " + status + ", " + text;
    }
  }

  synchronized void add(Tally other) {
    nanos.add(other.nanos);
    other.refused.forEach((status, count) -> refused.merge(status, count, Long::sum));
    due += other.due;
    if (firstError.isEmpty()) {
      firstError = other.firstError;
    }
  }

  synchronized long answered() {
    return nanos.getTotalCount();
  }

  synchronized long refused() {
    return refused.values().stream().mapToLong(Long::longValue).sum();
  }

  /// By gRPC status number.
  synchronized Map<Integer, Long> refusedByStatus() {
    return new TreeMap<>(refused);
  }

  synchronized long unanswered() {
    return due - nanos.getTotalCount() - refused();
  }

  /// Milliseconds within which `percentile` percent of the answers came; 100 gives the longest.
  synchronized double millisAt(double percentile) {
    return nanos.getValueAtPercentile(percentile) / 1e6;
  }

  /// Status and text of the first refusal; empty when there was none.
  synchronized String firstError() {
    return firstError;
  }
}
