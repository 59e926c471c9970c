package dev.kvorum.sim.client;

import dev.kvorum.env.Bytes;

/// One lease's life as its owner saw it. Its key is nobody else's.
public final class Leasing {
  final long id;
  final Bytes key;
  /// As granted.
  long ttlNanos;
  /// When the newest renewal (or the grant) that was acknowledged was asked for.
  long renewedAskedNanos;
  /// When the owner knew the lease, or its key, to be gone; 0 while it did not.
  long goneNanos;
  String goneBy = "";
  /// Its owner asked for its end, and it may have come any time since.
  boolean revokeAsked;
  /// The owner has renewed it for the last time.
  boolean abandoned;

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

  public long renewedAskedNanos() {
    return renewedAskedNanos;
  }

  public long goneNanos() {
    return goneNanos;
  }

  public String goneBy() {
    return goneBy;
  }

  public boolean isRevokeAsked() {
    return revokeAsked;
  }
}
