package dev.kvorum.raft;

/// How a leader convinces itself, before it serves a linearizable read, that it still leads.
public enum ReadOnlyOption {
  /// A round of heartbeats to a quorum (Raft thesis §6.4). Right whatever clocks do.
  SAFE,
  /// Trusts the lease CheckQuorum gives (§6.4.1): no round trip, but wrong if clocks drift without bound.
  LEASE_BASED
}
