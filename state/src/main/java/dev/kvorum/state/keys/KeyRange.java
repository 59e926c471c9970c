package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A half-open interval of user keys in byte order, or one key, or everything from a key on.
///
/// etcd says the same with a pair (key, range_end) where an empty end means one key and the single byte 0 means no end.
/// [#decode] reads that pair at the edge; past it nobody needs to know. An interval whose end is not above its start
/// is legal and empty.
public final class KeyRange {
  private static final byte[] ZERO = {0};
  static final KeyRange NONE = new KeyRange(ZERO, ZERO, false);
  private static final KeyRange ALL = new KeyRange(ZERO, null, false);

  private final byte[] start;
  private final byte @Nullable [] end;
  private final boolean single;

  private KeyRange(byte[] start, byte @Nullable [] end, boolean single) {
    this.start = start;
    this.end = end;
    this.single = single;
  }

  public static KeyRange single(Bytes key) {
    return new KeyRange(key.array(), null, true);
  }

  /// All keys k with `start` ≤ k < `end`.
  public static KeyRange range(Bytes start, Bytes end) {
    return new KeyRange(start.array(), end.array(), false);
  }

  /// All keys k with `start` ≤ k.
  public static KeyRange from(Bytes start) {
    return new KeyRange(start.array(), null, false);
  }

  /// Every key a user can name: the empty key is not one.
  public static KeyRange all() {
    return ALL;
  }

  /// All keys that begin with `prefix`.
  public static KeyRange prefix(Bytes prefix) {
    byte[] end = prefix.array().clone();
    for (int i = end.length - 1; i >= 0; i--) {
      if (end[i] != (byte) 0xff) {
        end[i]++;
        return new KeyRange(prefix.array(), Arrays.copyOf(end, i + 1), false);
      }
    }
    return prefix.isEmpty() ? ALL : new KeyRange(prefix.array(), null, false);
  }

  /// The wire's pair: empty `rangeEnd` is one key, a single zero byte is "from `key` on" (etcd api.md "key intervals").
  public static KeyRange decode(Bytes key, Bytes rangeEnd) {
    if (rangeEnd.isEmpty()) {
      return single(key);
    }
    return rangeEnd.size() == 1 && rangeEnd.at(0) == 0 ? from(key) : range(key, rangeEnd);
  }

  public boolean isSingle() {
    return single;
  }

  /// True when no key can be inside.
  public boolean isEmpty() {
    return !single && end != null && Arrays.compareUnsigned(start, end) >= 0;
  }

  public Bytes start() {
    return Bytes.wrap(start);
  }

  /// The first key above the interval; null when there is no end, and for a single key.
  public @Nullable Bytes end() {
    return end == null ? null : Bytes.wrap(end);
  }

  public boolean contains(Bytes key) {
    return contains(key.array());
  }

  boolean contains(byte[] key) {
    if (single) {
      return Arrays.equals(start, key);
    }
    return Arrays.compareUnsigned(key, start) >= 0 && (end == null || Arrays.compareUnsigned(key, end) < 0);
  }

  /// What is left of an interval from one of its keys on.
  KeyRange startingAt(byte[] key) {
    return new KeyRange(key, end, false);
  }

  byte[] startArray() {
    return start;
  }

  /// The exclusive upper bound; null for none. Not for single keys.
  byte @Nullable [] endArray() {
    return end;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KeyRange that
        && single == that.single
        && Arrays.equals(start, that.start)
        && Arrays.equals(end, that.end);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(start) + Arrays.hashCode(end);
  }

  @Override
  public String toString() {
    if (single) {
      return "[" + start() + "]";
    }
    return "[" + start() + ", " + (end == null ? "…" : Bytes.wrap(end)) + ")";
  }
}
