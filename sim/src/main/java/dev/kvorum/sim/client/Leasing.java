package dev.kvorum.sim.client;

import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.List;

/// One lease's life as its owner saw it. Its key is nobody else's.
public final class Leasing {
  final long id;
  final Bytes key;
  /// As granted.
  long ttlNanos;
  /// When the renewals (and the grant) that were acknowledged were asked for, in order.
  final List<Long> renewalsAskedNanos = new ArrayList<>();
  /// When the owner knew the lease, or its key, to be gone; 0 while it did not.
  long goneNanos;
  String goneBy = "";

  Leasing(long id, Bytes key) {
    this.id = id;
    this.key = key;
  }

  public long id() {
    return id;
  }

  public Bytes key() {
    return key;
  }

  public long ttlNanos() {
    return ttlNanos;
  }

  /// When the newest renewal that was acknowledged, of those asked for by `nanos`, was asked for.
  public long renewedAskedNanos(long nanos) {
    return renewalsAskedNanos.stream().mapToLong(Long::longValue).filter(asked -> asked <= nanos).max().orElseThrow();
  }

  public long goneNanos() {
    return goneNanos;
  }

  public String goneBy() {
    return goneBy;
  }
}
