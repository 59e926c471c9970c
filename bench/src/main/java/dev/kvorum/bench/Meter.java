package dev.kvorum.bench;

import org.HdrHistogram.Histogram;

/// Counts what completes while it is on, and how long each took.
class Meter {
  private static final long NANOS_MAX = 60_000_000_000L;

  private final Histogram nanos = new Histogram(1_000, NANOS_MAX, 3);
  private boolean on;
  private long errors;
  private String firstError = "";

  void start() {
    on = true;
  }

  void stop() {
    on = false;
  }

  void record(long tookNanos) {
    if (on) {
      nanos.recordValue(Math.clamp(tookNanos, 0, NANOS_MAX));
    }
  }

  /// Errors count in warm-up too: a row with any is not to be trusted.
  void error(int status, String text) {
    if (errors++ == 0) {
      firstError = "status " + status + ", " + text;
    }
  }

  /// A meter for calls that only serve the metered ones: their errors count, they do not.
  Meter errorsOnly() {
    Meter metered = this;
    return new Meter() {
      @Override
      void error(int status, String text) {
        metered.error(status, text);
      }
    };
  }

  long count() {
    return nanos.getTotalCount();
  }

  /// Milliseconds within which `percentile` percent completed.
  double millisAt(double percentile) {
    return nanos.getValueAtPercentile(percentile) / 1e6;
  }

  long errors() {
    return errors;
  }

  /// The first error's status and text; empty when there was none.
  String firstError() {
    return firstError;
  }
}
