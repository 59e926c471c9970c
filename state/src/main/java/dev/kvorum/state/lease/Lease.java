package dev.kvorum.state.lease;

import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A lease as all members agree on it. When it ends is not among that.
///
/// Most leases hold one key or none, so a set exists only from the second key on. Owned by the apply loop.
public final class Lease {
  private final long id;
  private final long ttlSeconds;
  private long remainingTtlSeconds;
  private @Nullable Bytes onlyKey;
  private @Nullable Set<Bytes> keys;

  Lease(long id, long ttlSeconds, long remainingTtlSeconds) {
    this.id = id;
    this.ttlSeconds = ttlSeconds;
    this.remainingTtlSeconds = remainingTtlSeconds;
  }

  public long id() {
    return id;
  }

  /// As granted, already raised to the minimum.
  public long ttlSeconds() {
    return ttlSeconds;
  }

  /// Of the last checkpoint; 0 when there was none since the last renewal.
  public long remainingTtlSeconds() {
    return remainingTtlSeconds;
  }

  void remainingTtlSeconds(long value) {
    remainingTtlSeconds = value;
  }

  public int keyCount() {
    return keys != null ? keys.size() : onlyKey == null ? 0 : 1;
  }

  /// The attached keys in byte order: the order in which every member deletes them.
  public List<Bytes> sortedKeys() {
    if (keys != null) {
      List<Bytes> sorted = new ArrayList<>(keys);
      Collections.sort(sorted);
      return sorted;
    }
    return onlyKey == null ? List.of() : List.of(onlyKey);
  }

  void attach(Bytes key) {
    if (keys != null) {
      keys.add(key);
    } else if (onlyKey == null) {
      onlyKey = key;
    } else if (!onlyKey.equals(key)) {
      keys = new HashSet<>();
      keys.add(onlyKey);
      keys.add(key);
      onlyKey = null;
    }
  }

  void detach(Bytes key) {
    if (keys != null) {
      keys.remove(key);
      if (keys.isEmpty()) {
        keys = null;
      }
    } else if (key.equals(onlyKey)) {
      onlyKey = null;
    }
  }
}
