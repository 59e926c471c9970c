package dev.kvorum.member.metrics;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/// A number that goes up and down. Whole numbers when set here; fractions come only from [#readFrom].
public final class Gauge implements Metric {
  private final AtomicLong current = new AtomicLong();
  private volatile @Nullable DoubleSupplier source;

  Gauge() {}

  public void set(long value) {
    current.set(value);
  }

  public void set(boolean value) {
    current.set(value ? 1 : 0);
  }

  /// @param amount may be negative
  public void add(long amount) {
    current.addAndGet(amount);
  }

  public void increment() {
    current.incrementAndGet();
  }

  public void decrement() {
    current.decrementAndGet();
  }

  /// From now on the value is asked for at each scrape, on the scraper's thread; it must not block.
  public void readFrom(DoubleSupplier supplier) {
    source = supplier;
  }

  public double value() {
    DoubleSupplier live = source;
    return live == null ? current.get() : live.getAsDouble();
  }
}
