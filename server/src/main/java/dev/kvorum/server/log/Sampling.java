package dev.kvorum.server.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.concurrent.atomic.AtomicLongArray;

/// Thins floods: of lines with one level and message, the first hundred of a second pass, then each hundredth.
///
/// Messages share 4096 counters by hash, as in zap; a rare collision only thins a flood sooner.
final class Sampling extends Filter<ILoggingEvent> {
  private static final int COUNTERS = 4096;
  private static final int FREE_PER_SECOND = 100;
  private static final int THEN_EACH = 100;
  private static final int COUNT_BITS = 24;
  private static final long COUNT_MASK = (1L << COUNT_BITS) - 1;

  /// Each holds a second in its upper bits and the lines of that second in its lower ones.
  private final AtomicLongArray counters = new AtomicLongArray(COUNTERS);

  @Override
  public FilterReply decide(ILoggingEvent event) {
    String message = event.getMessage();
    int hash = 31 * event.getLevel().toInt() + (message == null ? 0 : message.hashCode());
    int slot = (hash ^ hash >>> 16) & (COUNTERS - 1);
    long second = Math.floorDiv(event.getTimeStamp(), 1000L);
    long count =
        counters.updateAndGet(
                slot,
                was -> was >>> COUNT_BITS == second ? was + ((was & COUNT_MASK) == COUNT_MASK ? 0 : 1)
                    : second << COUNT_BITS | 1)
            & COUNT_MASK;
    boolean passes = count <= FREE_PER_SECOND || (count - FREE_PER_SECOND) % THEN_EACH == 0;
    return passes ? FilterReply.NEUTRAL : FilterReply.DENY;
  }
}
