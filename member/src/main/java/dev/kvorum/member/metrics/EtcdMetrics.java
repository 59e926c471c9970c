package dev.kvorum.member.metrics;

/// Every metric of one member, declared once: name, labels and buckets are etcd 3.7.1's, to the letter, so that its
/// dashboards and alerts keep working. Others hold this object and count where the thing happens.
///
/// Traps in the names: several gauges end in `_total`, and several counters do not. A labelled family shows nothing
/// until a series was asked for; the label values go in the order written at its declaration. What the process and its
/// sockets show beside (`process_*`, `go_*`, `grpc_server_*`) is added to [#registry] where it is known, in `server`.
public final class EtcdMetrics {
  private static final double[] DISK = Histogram.exponential(0.001, 2, 14);
  private static final double[] APPLY = Histogram.exponential(0.0001, 2, 20);
  private static final double[] TRANSFER = Histogram.exponential(0.1, 2, 10);
  private static final double[] HASH = Histogram.exponential(0.01, 2, 15);

  private final MetricsRegistry registry = new MetricsRegistry();

  // The store
  public final Gauge currentRevision =
      registry.gauge("etcd_debugging_mvcc_current_revision", "Revision of the store.");
  public final Gauge compactRevision =
      registry.gauge("etcd_debugging_mvcc_compact_revision", "Revision of the last compaction; -1 before the first.");
  public final Gauge keys =
      registry.gauge("etcd_debugging_mvcc_keys_total", "Keys that exist now.");
  public final Gauge putBytes =
      registry.gauge("etcd_debugging_mvcc_total_put_size_in_bytes", "Bytes of keys and values put.");
  public final Counter puts =
      registry.counter("etcd_mvcc_put_total", "Put operations.");
  public final Counter deletes =
      registry.counter("etcd_mvcc_delete_total", "Keys deleted.");
  public final Counter ranges =
      registry.counter("etcd_mvcc_range_total", "Range operations.");
  public final Counter txns =
      registry.counter("etcd_mvcc_txn_total", "Store transactions of more than one operation.");
  public final Histogram hashDuration =
      registry.histogram("etcd_mvcc_hash_duration_seconds", "Time of hashing the whole store.", HASH);
  public final Histogram hashKvDuration =
      registry.histogram("etcd_mvcc_hash_rev_duration_seconds", "Time of hashing the store up to a revision.", HASH);
  public final Counter compactedKeys =
      registry.counter("etcd_debugging_mvcc_db_compaction_keys_total", "Revisions removed by compaction.");
  public final Gauge lastCompactionUnixSeconds =
      registry.gauge("etcd_debugging_mvcc_db_compaction_last", "When the last compaction finished, in Unix seconds.");
  public final Histogram compactionPause =
      registry.histogram(
          "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
          "Time of one batch of a compaction.", Histogram.exponential(1, 2, 13));
  public final Histogram compactionDuration =
      registry.histogram(
          "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
          "Time of a whole compaction.", Histogram.exponential(100, 2, 14));
  public final Histogram indexCompactionPause =
      registry.histogram(
          "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
          "Time of compacting the key index.", Histogram.exponential(0.5, 2, 14));

  // Watch
  public final Counter watchEvents =
      registry.counter("etcd_debugging_mvcc_events_total", "Events handed to watch streams.");
  public final Gauge watchEventsPending =
      registry.gauge("etcd_debugging_mvcc_pending_events_total", "Events waiting to be sent to watch streams.");
  public final Gauge slowWatchers =
      registry.gauge("etcd_debugging_mvcc_slow_watcher_total", "Watchers that are behind the store.");
  public final Gauge watchStreams =
      registry.gauge("etcd_debugging_mvcc_watch_stream_total", "Open watch streams.");
  public final Gauge watchers =
      registry.gauge("etcd_debugging_mvcc_watcher_total", "Watchers.");
  public final Histogram watchControlSendDuration =
      registry.histogram(
          "etcd_debugging_server_watch_send_loop_control_stream_duration_seconds",
          "Time of sending one answer to a create or cancel request.", DISK);
  public final Histogram watchProgressDuration =
      registry.histogram(
          "etcd_debugging_server_watch_send_loop_progress_duration_seconds",
          "Time of one round of progress notices.", DISK);
  public final Histogram watchSendDuration =
      registry.histogram(
          "etcd_debugging_server_watch_send_loop_watch_stream_duration_seconds",
          "Time of sending one response with events.", DISK);
  public final Histogram watchSendDurationPerEvent =
      registry.histogram(
          "etcd_debugging_server_watch_send_loop_watch_stream_duration_per_event_seconds",
          "Time of sending one response with events, divided by its events.", DISK);

  // Leases
  public final Counter leasesGranted =
      registry.counter("etcd_debugging_lease_granted_total", "Leases granted.");
  public final Counter leasesRenewed =
      registry.counter("etcd_debugging_lease_renewed_total", "Renewals served while leader.");
  public final Counter leasesRevoked =
      registry.counter("etcd_debugging_lease_revoked_total", "Leases revoked.");
  public final Histogram leaseTtl =
      registry.histogram(
          "etcd_debugging_lease_ttl_total",
          "Seconds to live of leases granted or renewed.", Histogram.exponential(1, 2, 24));
  public final Counter leasesExpired =
      registry.counter("etcd_debugging_server_lease_expired_total", "Leases found expired while leader.");

  // The backend file
  public final Gauge dbSize =
      registry.gauge("etcd_mvcc_db_total_size_in_bytes", "Size of the database file, free pages included.");
  public final Gauge dbSizeInUse =
      registry.gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Size of the database file without its free pages.");
  public final Gauge dbReadTransactions =
      registry.gauge("etcd_mvcc_db_open_read_transactions", "Open read transactions of the database file.");
  public final Gauge quotaBackendBytes =
      registry.gauge("etcd_server_quota_backend_bytes", "Size at which the database file stops taking writes.");
  public final Histogram backendCommitDuration =
      registry.histogram(
          "etcd_disk_backend_commit_duration_seconds",
          "Time of one commit to the database file.", DISK);
  public final Histogram backendRebalanceDuration =
      registry.histogram(
          "etcd_debugging_disk_backend_commit_rebalance_duration_seconds",
          "Part of a commit spent merging pages.", DISK);
  public final Histogram backendSpillDuration =
      registry.histogram(
          "etcd_debugging_disk_backend_commit_spill_duration_seconds",
          "Part of a commit spent splitting pages.", DISK);
  public final Histogram backendWriteDuration =
      registry.histogram(
          "etcd_debugging_disk_backend_commit_write_duration_seconds",
          "Part of a commit spent writing pages.", DISK);
  public final Histogram backendDefragDuration =
      registry.histogram(
          "etcd_disk_backend_defrag_duration_seconds",
          "Time of one defragmentation.", Histogram.exponential(0.1, 2, 13));
  public final Gauge defragInflight =
      registry.gauge("etcd_disk_defrag_inflight", "1 while a defragmentation runs.");
  public final Histogram backendSnapshotDuration =
      registry.histogram(
          "etcd_disk_backend_snapshot_duration_seconds",
          "Time of handing out one snapshot of the database file.", Histogram.exponential(0.01, 2, 17));

  // The write-ahead log and snapshot files
  public final Histogram walSyncDuration =
      registry.histogram("etcd_disk_wal_fsync_duration_seconds", "Time of one sync of the write-ahead log.", DISK);
  public final Histogram walWriteDuration =
      registry.histogram("etcd_disk_wal_write_duration_seconds", "Time of one write to the write-ahead log.", DISK);
  public final Gauge walWriteBytes =
      registry.gauge("etcd_disk_wal_write_bytes_total", "Bytes written to the write-ahead log.");
  public final Histogram snapSyncDuration =
      registry.histogram("etcd_snap_fsync_duration_seconds", "Time of one sync of a snapshot file.", DISK);
  public final Histogram snapMarshalDuration =
      registry.histogram(
          "etcd_debugging_snap_save_marshalling_duration_seconds",
          "Time of encoding one snapshot file.", DISK);
  public final Histogram snapSaveDuration =
      registry.histogram(
          "etcd_debugging_snap_save_total_duration_seconds",
          "Time of saving one snapshot file.", DISK);
  public final Histogram snapDbSyncDuration =
      registry.histogram(
          "etcd_snap_db_fsync_duration_seconds",
          "Time of one sync of a received database file.", DISK);
  public final Histogram snapDbSaveDuration =
      registry.histogram(
          "etcd_snap_db_save_total_duration_seconds",
          "Time of receiving and saving one database file.", TRANSFER);

  // Consensus
  public final Gauge hasLeader =
      registry.gauge("etcd_server_has_leader", "1 when this member knows a leader.");
  public final Gauge isLeader =
      registry.gauge("etcd_server_is_leader", "1 when this member leads.");
  public final Gauge isLearner =
      registry.gauge("etcd_server_is_learner", "1 when this member is a learner.");
  public final Counter leaderChangesSeen =
      registry.counter("etcd_server_leader_changes_seen_total", "Changes of leader seen.");
  public final Counter heartbeatSendFailures =
      registry.counter("etcd_server_heartbeat_send_failures_total", "Heartbeats this leader sent late.");
  public final Gauge proposalsApplied =
      registry.gauge("etcd_server_proposals_applied_total", "Index of the last applied entry.");
  public final Gauge proposalsCommitted =
      registry.gauge("etcd_server_proposals_committed_total", "Index of the last committed entry.");
  public final Gauge proposalsPending =
      registry.gauge("etcd_server_proposals_pending", "Proposals waiting to be applied.");
  public final Counter proposalsFailed =
      registry.counter("etcd_server_proposals_failed_total", "Proposals that failed or timed out.");
  public final Counter readIndexesFailed =
      registry.counter("etcd_server_read_indexes_failed_total", "Read index rounds that failed.");
  public final Counter slowReadIndexes =
      registry.counter("etcd_server_slow_read_indexes_total", "Read index rounds answered too late.");
  public final Gauge snapshotApplyInProgress =
      registry.gauge("etcd_server_snapshot_apply_in_progress_total", "1 while a leader's snapshot is being applied.");
  public final Counter learnerPromoteSuccesses =
      registry.counter("etcd_server_learner_promote_successes", "Promotions of learners while leader.");
  public final MetricFamily<Counter> learnerPromoteFailures =
      registry.counters(
          "etcd_server_learner_promote_failures",
          "Failed promotions of learners while leader, by reason.", "Reason");

  // Requests
  public final MetricFamily<Histogram> applyDuration =
      registry.histograms(
          "etcd_server_apply_duration_seconds",
          "Time of applying one entry, by operation.", APPLY, "version", "op", "success");
  public final MetricFamily<Histogram> rangeDuration =
      registry.histograms("etcd_server_range_duration_seconds", "Time of one range.", APPLY, "success");
  public final MetricFamily<Histogram> requestDuration =
      registry.histograms(
          "etcd_server_request_duration_seconds",
          "Time of one request from its arrival to its answer, by type.", DISK, "type", "success");
  public final Counter slowApplies =
      registry.counter(
          "etcd_server_slow_apply_total",
          "Requests whose execution took longer than the warning limit.");
  public final MetricFamily<Counter> clientRequests =
      registry.counters(
          "etcd_server_client_requests_total",
          "Client requests, by the client's version.", "type", "client_api_version");
  public final Counter clientReceivedBytes =
      registry.counter("etcd_network_client_grpc_received_bytes_total", "Bytes of messages received from clients.");
  public final Counter clientSentBytes =
      registry.counter("etcd_network_client_grpc_sent_bytes_total", "Bytes of messages sent to clients.");
  public final MetricFamily<Counter> streamFailures =
      registry.counters(
          "etcd_network_server_stream_failures_total",
          "Failures of streams that were not the client's doing.", "Type", "API");

  // Health
  public final Counter healthSuccesses =
      registry.counter("etcd_server_health_success", "Good answers of /health.");
  public final Counter healthFailures =
      registry.counter("etcd_server_health_failures", "Bad answers of /health.");
  public final MetricFamily<Gauge> healthcheck =
      registry.gauges("etcd_server_healthcheck", "Last result of each health check; 1 is good.", "type", "name");
  public final MetricFamily<Counter> healthchecks =
      registry.counters("etcd_server_healthchecks_total", "Health checks made, by result.", "type", "name", "status");
  public final MetricFamily<Gauge> alarms =
      registry.gauges(
          "etcd_debugging_server_alarms",
          "Alarms raised now, by member and type.", "server_id", "alarm_type");

  // What this member is
  public final MetricFamily<Gauge> clusterVersion =
      registry.gauges("etcd_cluster_version", "1 for the cluster version in force.", "cluster_version");
  public final MetricFamily<Gauge> serverVersion =
      registry.gauges("etcd_server_version", "1 for the version of this server.", "server_version");
  public final MetricFamily<Gauge> goVersion =
      registry.gauges(
          "etcd_server_go_version",
          "1 for the runtime of this server; a JVM names itself here.", "server_go_version");
  public final MetricFamily<Gauge> serverId =
      registry.gauges("etcd_server_id", "1 for the id of this member.", "server_id");
  public final MetricFamily<Gauge> featureEnabled =
      registry.gauges(
          "etcd_server_feature_enabled",
          "1 for each feature gate that is on, 0 for each that is off.", "name", "stage");
  public final Gauge authRevision =
      registry.gauge("etcd_debugging_auth_revision", "Revision of the auth store.");

  // Peers
  public final MetricFamily<Gauge> knownPeers =
      registry.gauges("etcd_network_known_peers", "Peers known to this member.", "Local", "Remote");
  public final MetricFamily<Gauge> activePeers =
      registry.gauges("etcd_network_active_peers", "Connections to peers.", "Local", "Remote");
  public final MetricFamily<Counter> disconnectedPeers =
      registry.counters("etcd_network_disconnected_peers_total", "Connections to peers lost.", "Local", "Remote");
  public final MetricFamily<Counter> peerReceivedBytes =
      registry.counters("etcd_network_peer_received_bytes_total", "Bytes received from peers.", "From");
  public final MetricFamily<Counter> peerReceivedFailures =
      registry.counters(
          "etcd_network_peer_received_failures_total",
          "Messages from peers that could not be read.", "From");
  public final MetricFamily<Counter> peerSentBytes =
      registry.counters("etcd_network_peer_sent_bytes_total", "Bytes sent to peers.", "To");
  public final MetricFamily<Counter> peerSentFailures =
      registry.counters("etcd_network_peer_sent_failures_total", "Messages to peers that could not be sent.", "To");
  public final MetricFamily<Histogram> peerRoundTripTime =
      registry.histograms(
          "etcd_network_peer_round_trip_time_seconds",
          "Round trips to peers.", Histogram.exponential(0.0001, 2, 16), "To");
  public final MetricFamily<Counter> snapshotsReceived =
      registry.counters("etcd_network_snapshot_receive_success", "Snapshots received.", "From");
  public final MetricFamily<Counter> snapshotReceiveFailures =
      registry.counters("etcd_network_snapshot_receive_failures", "Snapshots that could not be received.", "From");
  public final MetricFamily<Gauge> snapshotReceivesInflight =
      registry.gauges("etcd_network_snapshot_receive_inflights_total", "Snapshots being received.", "From");
  public final MetricFamily<Histogram> snapshotReceiveDuration =
      registry.histograms(
          "etcd_network_snapshot_receive_total_duration_seconds",
          "Time of receiving one snapshot.", TRANSFER, "From");
  public final MetricFamily<Counter> snapshotsSent =
      registry.counters("etcd_network_snapshot_send_success", "Snapshots sent.", "To");
  public final MetricFamily<Counter> snapshotSendFailures =
      registry.counters("etcd_network_snapshot_send_failures", "Snapshots that could not be sent.", "To");
  public final MetricFamily<Gauge> snapshotSendsInflight =
      registry.gauges("etcd_network_snapshot_send_inflights_total", "Snapshots being sent.", "To");
  public final MetricFamily<Histogram> snapshotSendDuration =
      registry.histograms(
          "etcd_network_snapshot_send_total_duration_seconds",
          "Time of sending one snapshot.", TRANSFER, "To");

  public EtcdMetrics() {
    // Names that dashboards expect and that never move here: etcd's old store, and its proxy.
    registry.counter("etcd_debugging_store_expires_total", "Always 0; there is no v2 store.");
    registry.counter("etcd_debugging_store_watch_requests_total", "Always 0; there is no v2 store.");
    registry.gauge("etcd_debugging_store_watchers", "Always 0; there is no v2 store.");
    registry.gauge("etcd_grpc_proxy_cache_hits_total", "Always 0 in a server.");
    registry.gauge("etcd_grpc_proxy_cache_keys_total", "Always 0 in a server.");
    registry.gauge("etcd_grpc_proxy_cache_misses_total", "Always 0 in a server.");
    registry.counter("etcd_grpc_proxy_events_coalescing_total", "Always 0 in a server.");
    registry.gauge("etcd_grpc_proxy_watchers_coalescing_total", "Always 0 in a server.");
  }

  /// Where all of these, and whatever the process adds, are listed.
  public MetricsRegistry registry() {
    return registry;
  }
}
