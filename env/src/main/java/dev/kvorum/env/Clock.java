package dev.kvorum.env;

/// Time, of two kinds that must not be mixed.
public interface Clock {
  /// Monotonic nanoseconds since an arbitrary point: for timeouts, leases and durations.
  long nanos();

  /// Milliseconds since the Unix epoch: for identifiers and log lines only; it may jump.
  long wallMillis();
}
