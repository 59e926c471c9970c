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

/// All that a proposal costs the leader's raft: taking it, the appends to the followers, storage's report, their
/// answers, the commit and telling of it, the report that it is applied, and the log in memory.
///
/// An invocation is [#ENTRIES] proposals to a fresh leader, whose election is not timed.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LeaderBenchmark {
  /// Enough that a new node's growing rings do not show.
  static final int ENTRIES = 1 << 16;

  static final int PAYLOAD_BYTES = 256;

  /// Beside JMH's warm-up, which is by the clock: on a busy machine time passes without work.
  static final int WARM_UP_BATCHES = 1 << 18;

  @Param({"1", "3", "5"})
  public int members;

  @Param({"1", "64"})
  public int batch;

  @Param({"true", "false"})
  public boolean asynchronous;

  private LeaderScript script;
  private DrivenNode leader;

  @Setup(Level.Trial)
  public void prepare() {
    write();
    for (int i = 0; i < WARM_UP_BATCHES; i += ENTRIES / batch) {
      script.play(script.elected(), sent -> {});
    }
  }

  void write() {
    script = new LeaderScript(members, asynchronous, ENTRIES, batch, PAYLOAD_BYTES);
  }

  @Setup(Level.Invocation)
  public void elect() {
    leader = script.elected();
  }

  @Benchmark
  @OperationsPerInvocation(ENTRIES)
  public long leader(Blackhole network) {
    return script.play(leader, network::consume);
  }
}
