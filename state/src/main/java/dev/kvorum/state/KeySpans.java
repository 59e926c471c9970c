package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import java.util.Map;
import java.util.TreeMap;

/// A union of half-open intervals of keys, kept disjoint and not touching.
final class KeySpans {
  /// An end above every key: the empty byte string, which as an end would leave nothing in the interval.
  private static final Bytes NO_END = Bytes.EMPTY;

  private final TreeMap<Bytes, Bytes> endByStart = new TreeMap<>();

  /// Adds one key.
  void add(Bytes key) {
    byte[] after = new byte[key.size() + 1];
    System.arraycopy(key.array(), 0, after, 0, key.size());
    join(key, Bytes.wrap(after));
  }

  /// Adds `[start, end)`; nothing if nothing is in it.
  void add(Bytes start, Bytes end) {
    if (!end.isEmpty() && start.compareTo(end) < 0) {
      join(start, end);
    }
  }

  /// Adds every key from `start` on.
  void addFrom(Bytes start) {
    join(start, NO_END);
  }

  void addAll(KeySpans other) {
    other.endByStart.forEach(this::join);
  }

  boolean contains(Bytes key) {
    Map.Entry<Bytes, Bytes> span = endByStart.floorEntry(key);
    return span != null && isBefore(key, span.getValue());
  }

  private void join(Bytes from, Bytes to) {
    Bytes start = from;
    Bytes end = to;
    Map.Entry<Bytes, Bytes> before = endByStart.floorEntry(start);
    if (before != null && (isBefore(start, before.getValue()) || start.equals(before.getValue()))) {
      start = before.getKey();
    }
    for (var next = endByStart.ceilingEntry(start);
        next != null && (isBefore(next.getKey(), end) || next.getKey().equals(end));
        next = endByStart.ceilingEntry(start)) {
      end = later(end, next.getValue());
      endByStart.remove(next.getKey());
    }
    endByStart.put(start, end);
  }

  private static boolean isBefore(Bytes key, Bytes end) {
    return end.isEmpty() || key.compareTo(end) < 0;
  }

  private static Bytes later(Bytes left, Bytes right) {
    return left.isEmpty() || right.isEmpty() ? NO_END : left.compareTo(right) < 0 ? right : left;
  }
}
