/// What a member counts, under etcd's exact metric names.
///
/// Starting points: [EtcdMetrics] declares every metric of one member; [MetricsRegistry] lists them for whoever prints
/// the page. The model is ours because Prometheus' own Java library cannot say these names: it appends `_total` to
/// every counter (etcd has `etcd_server_health_success`) and writes bucket bounds as `1.0` where etcd writes `1`, which
/// breaks queries that name a bucket.
///
/// Everything here may be touched from any thread: counts are striped adders, so that counting never makes two loops
/// meet.
@NullMarked
package dev.kvorum.member.metrics;

import org.jspecify.annotations.NullMarked;
