package dev.kvorum.raft.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/// All that an entry costs a follower's raft: the append, storage's report and the acknowledgement, the commit index,
/// the report that it is applied, and the log in memory.
///
/// An invocation is [LeaderBenchmark#ENTRIES] entries for a fresh follower.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FollowerBenchmark {
  @Param({"3", "5"})
  public int members;

  @Param({"1", "64"})
  public int batch;

  @Param({"true", "false"})
  public boolean asynchronous;

  private FollowerScript script;
  private DrivenNode follower;

  @Setup(Level.Trial)
  public void prepare() {
    write();
    for (int i = 0; i < LeaderBenchmark.WARM_UP_BATCHES; i += LeaderBenchmark.ENTRIES / batch) {
      script.play(script.following(), sent -> {});
    }
  }

  void write() {
    script =
        new FollowerScript(members, asynchronous, LeaderBenchmark.ENTRIES, batch, LeaderBenchmark.PAYLOAD_BYTES);
  }

  @Setup(Level.Invocation)
  public void follow() {
    follower = script.following();
  }

  @Benchmark
  @OperationsPerInvocation(LeaderBenchmark.ENTRIES)
  public long follower(Blackhole network) {
    return script.play(follower, network::consume);
  }
}
