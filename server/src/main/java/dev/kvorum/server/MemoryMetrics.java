package dev.kvorum.server;

import dev.kvorum.member.Member;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.member.metrics.MetricsRegistry;

/// What requests in flight hold of memory, as metrics. etcd has nothing like it; these names are ours.
final class MemoryMetrics {
  private MemoryMetrics() {}

  static void addTo(MetricsRegistry registry, Member member) {
    MemoryBudget memory = member.memory();
    registry
        .gauge("kvorum_memory_budget_limit_bytes", "Bytes of memory that requests in flight may take together.")
        .readFrom(memory::limitBytes);
    registry
        .gauge("kvorum_memory_budget_used_bytes", "Bytes of memory that requests in flight hold.")
        .readFrom(memory::usedBytes);
    registry
        .counter("kvorum_memory_budget_refusals_total", "Requests refused because memory had no room for them.")
        .readFrom(memory::refusals);
    registry
        .gauge("kvorum_large_reads_running", "Large ranges being answered in pieces.")
        .readFrom(member.kv()::largeReadsRunning);
    registry
        .gauge("kvorum_large_reads_waiting", "Large ranges waiting for their turn.")
        .readFrom(member.kv()::largeReadsWaiting);
  }
}
