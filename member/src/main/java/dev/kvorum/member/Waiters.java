package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Clock;
import java.util.Iterator;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Proposers, parked under their request ids until their entry is applied or their time is up. Any thread.
final class Waiters {
  private final ConcurrentHashMap<Long, Parked> parked = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final Clock clock;
  private final long timeoutNanos;

  private record Parked(Waiter waiter, long deadlineNanos) {}

  Waiters(Clock clock, long timeoutNanos) {
    this.clock = clock;
    this.timeoutNanos = timeoutNanos;
  }

  void park(long id, Waiter waiter) {
    parked.put(id, new Parked(waiter, clock.nanos() + timeoutNanos));
    count.incrementAndGet();
  }

  /// @return null when nobody waits under `id`, or no longer
  @Nullable Waiter take(long id) {
    Parked found = parked.remove(id);
    if (found == null) {
      return null;
    }
    count.decrementAndGet();
    return found.waiter();
  }

  boolean isParked(long id) {
    return parked.containsKey(id);
  }

  int count() {
    return count.get();
  }

  /// Why somebody who has waited since `sinceNanos` was not answered in time.
  @FunctionalInterface
  interface Blame {
    EtcdError since(long sinceNanos);
  }

  /// Tells those whose time is up that nothing was heard of their entry; it may still be applied.
  void refuseLate(Blame blame) {
    long now = clock.nanos();
    for (Iterator<java.util.Map.Entry<Long, Parked>> all = parked.entrySet().iterator(); all.hasNext(); ) {
      java.util.Map.Entry<Long, Parked> one = all.next();
      long deadline = one.getValue().deadlineNanos();
      if (now - deadline >= 0) {
        refuse(one.getKey(), blame.since(deadline - timeoutNanos));
      }
    }
  }

  void refuseAll(EtcdError why) {
    for (Long id : parked.keySet()) {
      refuse(id, why);
    }
  }

  private void refuse(long id, EtcdError why) {
    Waiter waiter = take(id);
    if (waiter != null) {
      waiter.refused(EtcdException.of(why));
    }
  }
}
