package dev.kvorum.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The simulator as a whole: fresh seeds find nothing, and a seed is one story.
class SimulationTest {
  private static final int MEMBERS_MAX = 7;
  private static final long BATCH_NANOS = 20_000_000_000L;
  private static final int BATCH_SEEDS_MAX = 30;

  private static long fresh() {
    return Long.getLong("kvorum.seed", new Random().nextLong() >>> 24);
  }

  /// As many seeds as fit into the time that continuous integration has.
  @Test
  void freshSeedsFindNothing() {
    long first = fresh();
    long begun = System.nanoTime();
    long seed = first;
    while (seed < first + BATCH_SEEDS_MAX && System.nanoTime() - begun < BATCH_NANOS) {
      Simulation.Outcome outcome = Simulation.play(seed, MEMBERS_MAX, null);
      assertThat(outcome.finding()).as("replay: bin/sim %d", seed).isNull();
      seed++;
    }
    System.out.println("simulated seeds " + first + " to " + (seed - 1) + ": nothing found");
  }

  @Test
  void aSeedIsTheSameStoryTwice() {
    long seed = fresh();
    assertThat(Simulation.play(seed, MEMBERS_MAX, null)).as("seed %d", seed)
        .isEqualTo(Simulation.play(seed, MEMBERS_MAX, null));
  }

  @Test
  void aTraceThatIsToldIsTheSameAsOneThatIsNot() {
    long seed = fresh();
    List<String> lines = new ArrayList<>();
    long told = Simulation.play(seed, MEMBERS_MAX, lines::add).traceHash();
    assertThat(told).as("seed %d", seed).isEqualTo(Simulation.play(seed, MEMBERS_MAX, null).traceHash());
    assertThat(lines).hasSizeGreaterThan(1_000);
  }

  /// Another JVM has other identity hash codes, another salt for unordered sets, another heap.
  @Test
  void aSeedIsTheSameStoryInAnotherJvm() throws IOException, InterruptedException {
    long seed = fresh();
    Process other =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:+UnlockExperimentalVMOptions", "-XX:hashCode=0",
                "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Simulator.class.getName(),
                Long.toString(seed))
            .redirectErrorStream(true)
            .start();
    String said = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    other.waitFor();
    Simulation.Outcome here = Simulation.play(seed, MEMBERS_MAX, null);
    assertThat(said).as("seed %d", seed).contains("trace %016x".formatted(here.traceHash()));
  }
}
