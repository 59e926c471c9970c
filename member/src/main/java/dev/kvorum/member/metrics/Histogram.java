package dev.kvorum.member.metrics;

import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;

/// How often values fell at or below each of a fixed set of bounds. The unit is the one in the metric's name.
public final class Histogram implements Metric {
  private static final double SECONDS_PER_NANO = 1e-9;

  private final double[] bounds;
  private final LongAdder[] counts;
  private final DoubleAdder sum = new DoubleAdder();

  /// @param bounds ascending upper bounds, shared and never written; `+Inf` is implied
  Histogram(double[] bounds) {
    this.bounds = bounds;
    this.counts = new LongAdder[bounds.length + 1];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  /// `start`, `start·factor`, `start·factor²` …, `count` of them, multiplied step by step as etcd does, so that the
  /// last digits agree.
  public static double[] exponential(double start, double factor, int count) {
    double[] bounds = new double[count];
    double bound = start;
    for (int i = 0; i < count; i++) {
      bounds[i] = bound;
      bound *= factor;
    }
    return bounds;
  }

  /// Counts one value, in the metric's unit.
  public void observe(double value) {
    int bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]) {
      bucket++;
    }
    counts[bucket].increment();
    sum.add(value);
  }

  /// Counts one duration where the metric's unit is seconds.
  public void observeNanos(long nanos) {
    observe(nanos * SECONDS_PER_NANO);
  }

  /// Counts one duration where the metric's unit is milliseconds.
  public void observeNanosAsMillis(long nanos) {
    observe(nanos / 1_000_000.0);
  }

  public int bucketCount() {
    return counts.length;
  }

  /// The upper bound of a bucket; infinite for the last.
  public double bound(int bucket) {
    return bucket == bounds.length ? Double.POSITIVE_INFINITY : bounds[bucket];
  }

  /// Values per bucket so far, not summed over buckets. Read it once and sum, so that a page agrees with itself.
  public long[] counts() {
    long[] snapshot = new long[counts.length];
    for (int i = 0; i < snapshot.length; i++) {
      snapshot[i] = counts[i].sum();
    }
    return snapshot;
  }

  public double sum() {
    return sum.sum();
  }
}
