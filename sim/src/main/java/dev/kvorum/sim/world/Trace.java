package dev.kvorum.sim.world;

import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Everything that happens in a simulated world, folded into one number, and told as text if somebody listens.
///
/// Two runs did the same if and only if (but for a chance of 2⁻⁶⁴) their [#hash] is the same.
public final class Trace {
  private static final long MIX = 0x9E3779B97F4A7C15L;

  private final @Nullable Consumer<String> sink;
  private long hash = MIX;
  private long events;

  /// @param sink takes each line; null to keep silent
  public Trace(@Nullable Consumer<String> sink) {
    this.sink = sink;
  }

  /// One event: when, who, what, and two numbers that tell it from others.
  public void event(long atNanos, String who, String what, long a, long b) {
    events++;
    fold(atNanos);
    fold(who.hashCode());
    fold(what.hashCode());
    fold(a);
    fold(b);
    if (sink != null) {
      sink.accept("%15.6f %-12s %s %d %d".formatted(atNanos / 1e6, who, what, a, b));
    }
  }

  /// One event told in full: `what` counts to its last letter.
  public void event(long atNanos, String who, Object what) {
    events++;
    fold(atNanos);
    fold(who.hashCode());
    String text = Objects.toString(what);
    fold(text.hashCode());
    fold(text.length());
    if (sink != null) {
      sink.accept("%15.6f %-12s %s".formatted(atNanos / 1e6, who, text));
    }
  }

  /// Whether it is worth preparing text.
  public boolean isTold() {
    return sink != null;
  }

  /// A line that counts for nothing: what a program logs.
  public void aside(long atNanos, String who, String text) {
    if (sink != null) {
      sink.accept("%15.6f %-12s | %s".formatted(atNanos / 1e6, who, text));
    }
  }

  private void fold(long value) {
    long x = (hash ^ value) * MIX;
    hash = x ^ (x >>> 29);
  }

  public long hash() {
    return hash;
  }

  public long events() {
    return events;
  }
}
