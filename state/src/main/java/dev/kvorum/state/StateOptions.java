package dev.kvorum.state;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.Failpoints;

/// How the state is opened. Three of these are part of what members agree on and must be the same on all of them,
/// though etcd makes them local flags too: `leaseTtlMinSeconds`, `learnersMax`, `persistCheckpoints`.
///
/// @param quota past it, requests that grow the db are answered with `NO_SPACE`
/// @param leaseTtlMinSeconds shorter leases are made this long; see [#leaseTtlMinSeconds(long, long)]
/// @param learnersMax how many learners there may be (`--max-learners`)
/// @param persistCheckpoints keep lease checkpoints also while the cluster version is below 3.6
/// @param bolt how the db file is opened
/// @param failpoints what a test has planted
public record StateOptions(
    Quota quota, long leaseTtlMinSeconds, int learnersMax, boolean persistCheckpoints, BoltOptions bolt,
    Failpoints failpoints) {
  /// Options under which nothing fails on purpose.
  public StateOptions(
      Quota quota, long leaseTtlMinSeconds, int learnersMax, boolean persistCheckpoints, BoltOptions bolt) {
    this(quota, leaseTtlMinSeconds, learnersMax, persistCheckpoints, bolt, Failpoints.NONE);
  }

  /// etcd's defaults: 2 GiB, 2 s, one learner.
  public static StateOptions defaults() {
    return new StateOptions(Quota.ofFlag(0), 2, 1, false, BoltOptions.defaults());
  }

  /// One and a half election timeouts in whole ticks, then in whole seconds, rounded up (etcd `bootstrap.go`).
  ///
  /// @param electionTicks election timeout / heartbeat interval, rounded down
  public static long leaseTtlMinSeconds(long electionTicks, long heartbeatMillis) {
    return (3 * electionTicks / 2 * heartbeatMillis + 999) / 1000;
  }

  public StateOptions withQuota(Quota value) {
    return new StateOptions(value, leaseTtlMinSeconds, learnersMax, persistCheckpoints, bolt, failpoints);
  }

  public StateOptions withBolt(BoltOptions value) {
    return new StateOptions(quota, leaseTtlMinSeconds, learnersMax, persistCheckpoints, value, failpoints);
  }

  public StateOptions withLearnersMax(int value) {
    return new StateOptions(quota, leaseTtlMinSeconds, value, persistCheckpoints, bolt, failpoints);
  }

  public StateOptions withLeaseTtlMinSeconds(long value) {
    return new StateOptions(quota, value, learnersMax, persistCheckpoints, bolt, failpoints);
  }

  public StateOptions withFailpoints(Failpoints value) {
    return new StateOptions(quota, leaseTtlMinSeconds, learnersMax, persistCheckpoints, bolt, value);
  }
}
