package dev.kvorum.member.metrics;

import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/// A number that only grows while the process lives.
public final class Counter implements Metric {
  private final LongAdder count = new LongAdder();
  private volatile @Nullable DoubleSupplier source;

  Counter() {}

  public void increment() {
    count.increment();
  }

  /// @param amount at least 0
  public void add(long amount) {
    count.add(amount);
  }

  /// From now on the value is asked for at each scrape, on the scraper's thread, instead of counted here.
  public void readFrom(DoubleSupplier supplier) {
    source = supplier;
  }

  public double value() {
    DoubleSupplier live = source;
    return live == null ? count.sum() : live.getAsDouble();
  }
}
