package dev.kvorum.raft.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/// The processor time of the thread that plays, per operation: what JMH's own clock shows on a machine that has nothing
/// else to do, and moves far less on one that has. The collector's time is not in it.
public final class ProcessorTime implements InternalProfiler {
  static final String LABEL = "cpu.norm";

  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private long beforeNanos;

  @Override
  public String getDescription() {
    return "processor time per operation";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    beforeNanos = playingNanos();
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    double nanos = playingNanos() - beforeNanos;
    return List.of(
        new ScalarResult(LABEL, nanos / result.getMetadata().getAllOps(), "ns/op", AggregationPolicy.AVG));
  }

  /// 0 before JMH has started its worker.
  private long playingNanos() {
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().contains("-jmh-worker-")) {
        return threads.getThreadCpuTime(thread.getThreadId());
      }
    }
    return 0;
  }
}
