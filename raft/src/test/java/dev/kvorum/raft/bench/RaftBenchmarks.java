package dev.kvorum.raft.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/// The program behind `bench/raft`: runs all of this package's benchmarks and prints one table. What JMH has to say
/// meanwhile goes to standard error.
public final class RaftBenchmarks {
  /// The heap and collector that a small member has (`bin/etcd`).
  private static final String[] JVM = {
    "-Xms256m", "-Xmx256m", "-Xmn96m", "-XX:SurvivorRatio=4", "-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders",
    "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"
  };

  /// A line of the table: one kind of node.
  private record Row(String node, String members, boolean asynchronous) {
    /// Leaders first, and what members do first.
    static final Comparator<Row> ORDER =
        Comparator.comparing(Row::node).reversed()
            .thenComparing(Row::members)
            .thenComparing(Row::asynchronous, Comparator.reverseOrder());
  }

  /// Median and least nanoseconds of processor time over all iterations of all forks, and bytes allocated, for one
  /// entry.
  private record Cost(double median, double least, double bytes) {
    static Cost of(RunResult result) {
      Statistics nanos = secondary(result, ProcessorTime.LABEL);
      return new Cost(nanos.getPercentile(50), nanos.getMin(), secondary(result, "gc.alloc.rate.norm").getMin());
    }

    private static Statistics secondary(RunResult result, String label) {
      return result.getSecondaryResults().get(label).getStatistics();
    }

    String cells() {
      return String.format("%,.0f | %,.0f | %,.0f", median, least, bytes);
    }
  }

  private RaftBenchmarks() {}

  public static void main(String[] arguments) throws RunnerException {
    List<String> rest = new ArrayList<>(Arrays.asList(arguments));
    boolean quick = rest.remove("--quick");
    if (!rest.isEmpty()) {
      System.err.println("usage: bench/raft [--quick]");
      System.exit(2);
    }
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(LeaderBenchmark.class.getName() + "[.]")
            .include(FollowerBenchmark.class.getName() + "[.]")
            .jvmArgs(JVM)
            .addProfiler(GCProfiler.class)
            .addProfiler(ProcessorTime.class)
            .shouldFailOnError(true)
            .forks(quick ? 1 : 3)
            .warmupIterations(1)
            .warmupTime(TimeValue.milliseconds(500))
            .measurementIterations(quick ? 2 : 4)
            .measurementTime(TimeValue.milliseconds(quick ? 250 : 500));
    Collection<RunResult> results =
        new Runner(options.build(), OutputFormatFactory.createFormatInstance(System.err, VerboseMode.NORMAL)).run();
    print(results);
  }

  private static void print(Collection<RunResult> results) {
    Map<Row, Map<String, Cost>> rows = new TreeMap<>(Row.ORDER);
    for (RunResult result : results) {
      String name = result.getParams().getBenchmark();
      Row row =
          new Row(
              name.substring(name.lastIndexOf('.') + 1),
              result.getParams().getParam("members"),
              Boolean.parseBoolean(result.getParams().getParam("asynchronous")));
      rows.computeIfAbsent(row, first -> new TreeMap<>())
          .put(result.getParams().getParam("batch"), Cost.of(result));
    }
    System.out.println("| | storage writes | alone: CPU ns | least | bytes | of 64: CPU ns | least | bytes |");
    System.out.println("|---|---|---|---|---|---|---|---|");
    rows.forEach(
        (row, costs) ->
            System.out.println(
                "| " + row.node() + ", " + row.members() + (row.members().equals("1") ? " member" : " members") + " | "
                    + (row.asynchronous() ? "asynchronous" : "synchronous") + " | " + costs.get("1").cells() + " | "
                    + costs.get("64").cells() + " |"));
  }
}
