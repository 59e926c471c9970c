/// The metrics page, and what only a process with sockets can count.
///
/// Starting points: [MetricsPage] (the text that Prometheus reads), [GrpcMetrics] (calls), [ProcessMetrics] (this
/// process and its JVM). What a member counts is declared in [dev.kvorum.member.metrics.EtcdMetrics].
@NullMarked
package dev.kvorum.server.metrics;

import org.jspecify.annotations.NullMarked;
