package dev.kvorum.member;

import java.util.concurrent.atomic.AtomicLong;

/// Unique request ids in etcd's layout: the low 16 bits of the member id on top, then 48 bits that begin with the start
/// time in milliseconds and count on from there. Unique over restarts as long as fewer than 256 ids a millisecond are
/// drawn over a run's life. Any thread.
final class RequestIds {
  private static final long SUFFIX_MASK = (1L << 48) - 1;

  private final long prefix;
  private final AtomicLong suffix;

  RequestIds(long memberId, long wallMillis) {
    prefix = memberId << 48;
    suffix = new AtomicLong((wallMillis & ((1L << 40) - 1)) << 8);
  }

  long next() {
    return prefix | (suffix.incrementAndGet() & SUFFIX_MASK);
  }

  /// A positive, non-zero id for a lease whose creator chose none.
  long nextLeaseId() {
    long id;
    do {
      id = next() & Long.MAX_VALUE;
    } while (id == 0);
    return id;
  }
}
