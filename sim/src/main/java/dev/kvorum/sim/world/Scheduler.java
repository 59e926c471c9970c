package dev.kvorum.sim.world;

import dev.kvorum.env.Cancellable;
import dev.kvorum.env.Invariant;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The one scheduler of a simulated world: time, and whose turn it is.
///
/// What is to happen hangs in a queue by its time; time jumps from one to the next. Whoever becomes runnable is due
/// after a delay drawn from the seed, so the order in which runnable loops run is the seed's. Code runs as [Strand]s,
/// which use time ([#spend]) and let others go on meanwhile ([#sleep]). One thread; nothing here may ask another clock.
public final class Scheduler {
  private final PriorityQueue<Event> queue = new PriorityQueue<>();
  private final SplittableRandom random;
  private final Trace trace;
  private @Nullable Strand current;
  private long nowNanos;
  private long spentNanos;
  private long made;

  private static final class Event implements Comparable<Event>, Cancellable {
    final long atNanos;
    final long order;
    @Nullable Runnable action;

    Event(long atNanos, long order, Runnable action) {
      this.atNanos = atNanos;
      this.order = order;
      this.action = action;
    }

    @Override
    public void cancel() {
      action = null;
    }

    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(atNanos, other.atNanos);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  public Scheduler(SplittableRandom random, Trace trace) {
    this.random = random;
    this.trace = trace;
  }

  public Trace trace() {
    return trace;
  }

  /// Nanoseconds since the world began, as the running strand sees it: what it has spent counts.
  public long now() {
    return nowNanos + spentNanos;
  }

  /// Runs `action` after `delayNanos`.
  public Cancellable after(long delayNanos, Runnable action) {
    Event event = new Event(now() + Math.max(0, delayNanos), made++, action);
    queue.add(event);
    return event;
  }

  /// Begins a strand of its own that runs `body`.
  ///
  /// @param host the process it belongs to and dies with; null when it belongs to nobody
  public Strand spawn(@Nullable SimHost host, String name, Runnable body) {
    Strand strand = new Strand(host, name, body);
    resumeAfter(strand, jitter());
    return strand;
  }

  /// How long something runnable waits for its turn: mostly little.
  long jitter() {
    int kind = random.nextInt(64);
    return kind == 0 ? random.nextLong(2_000_000) : kind < 8 ? random.nextLong(100_000) : 200 + random.nextLong(10_000);
  }

  Cancellable resumeAfter(Strand strand, long delayNanos) {
    return after(delayNanos, () -> resume(strand));
  }

  private void resume(Strand strand) {
    SimHost host = strand.host;
    if (host != null) {
      if (!host.isAlive()) {
        return;
      }
      long wait = host.heldUntil(strand) - nowNanos;
      if (wait > 0) {
        resumeAfter(strand, wait + jitter());
        return;
      }
    }
    Invariant.check(current == null, "a strand is resumed within another");
    trace.event(nowNanos, strand.name, "runs", made, queue.size());
    current = strand;
    spentNanos = 0;
    try {
      strand.coroutine.resume();
    } finally {
      current = null;
      spentNanos = 0;
    }
  }

  /// The running strand; null between strands.
  @Nullable Strand current() {
    return current;
  }

  /// The running strand's name; the world's between strands.
  public String who() {
    Strand strand = current;
    return strand == null ? "world" : strand.name;
  }

  /// Whether the caller runs on some strand and may [#sleep].
  public boolean isOnStrand() {
    return current != null;
  }

  /// The running strand has worked for `nanos`: what it does from here on happens that much later.
  public void spend(long nanos) {
    if (current != null) {
      spentNanos += nanos;
    }
  }

  /// Lets time pass for the running strand, and others run meanwhile.
  public void sleep(long nanos) {
    Strand self = running();
    long total = spentNanos + nanos;
    spentNanos = 0;
    resumeAfter(self, total);
    Coroutine.suspend();
  }

  /// Puts the running strand aside until somebody resumes it.
  void suspend() {
    running();
    spentNanos = 0;
    Coroutine.suspend();
  }

  /// The running strand goes no further: its process is gone.
  void abandon() {
    running();
    Coroutine.suspend();
    throw new IllegalStateException("a dead strand is resumed");
  }

  private Strand running() {
    Strand strand = current;
    Invariant.check(strand != null, "only a strand can wait");
    return java.util.Objects.requireNonNull(strand);
  }

  /// The next thing happens. @return false when nothing is left to happen
  public boolean step() {
    Invariant.check(current == null, "the world is stepped from within");
    Event next = queue.poll();
    while (next != null && next.action == null) {
      next = queue.poll();
    }
    if (next == null) {
      return false;
    }
    Invariant.check(next.atNanos >= nowNanos, "time runs backwards");
    nowNanos = next.atNanos;
    java.util.Objects.requireNonNull(next.action).run();
    return true;
  }

  /// Steps until `condition` holds or the clock passes `untilNanos`. @return whether it holds
  public boolean runUntil(BooleanSupplier condition, long untilNanos) {
    while (!condition.getAsBoolean()) {
      Event next = queue.peek();
      if (next == null || next.atNanos > untilNanos) {
        nowNanos = Math.max(nowNanos, untilNanos);
        return condition.getAsBoolean();
      }
      step();
    }
    return true;
  }
}
