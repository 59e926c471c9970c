package dev.kvorum.raft.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/// Random clusters, random faults. Each failure names its seed; `-Dkvorum.seed=N` plays that one again.
class RandomClusterTest {
  /// `-Dkvorum.clusters=N` plays more than a build can wait for.
  private static final int CLUSTERS = Integer.getInteger("kvorum.clusters", 60);
  private static final int STEPS = 12_000;

  /// Raft paper figure 3: election safety, leader append-only, log matching, leader completeness and state machine
  /// safety, as [Judges] sees them. Raft paper §5.6: none of it hangs on timing. Raft thesis §6.4: reads see everything
  /// that was committed when they were asked.
  @Test
  void raftsPromisesHoldWhateverNetworkDiskAndOperatorDo() {
    Long asked = Long.getLong("kvorum.seed");
    if (asked != null) {
      play(asked);
      return;
    }
    long first = ThreadLocalRandom.current().nextLong(1L << 40);
    long committed = 0;
    long reads = 0;
    int stuck = 0;
    for (long seed = first; seed < first + CLUSTERS; seed++) {
      SimulatedCluster cluster = play(seed);
      committed += cluster.judges.committedCount();
      reads += cluster.answeredReads();
      stuck += cluster.stuckOnRemoval ? 1 : 0;
    }
    // A judge who saw nothing is no judge.
    assertThat(committed).as("entries committed, from seed %d on", first).isGreaterThan(1_000);
    assertThat(stuck).as("clusters stuck on a removed voter, from seed %d on", first).isLessThan(CLUSTERS / 10);
    assertThat(reads).as("reads answered, from seed %d on", first).isGreaterThan(100);
  }

  private static SimulatedCluster play(long seed) {
    try {
      SimulatedCluster cluster = new SimulatedCluster(seed);
      cluster.misbehave(STEPS);
      cluster.healAndProgress();
      return cluster;
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("seed " + seed + " (rerun with -Dkvorum.seed=" + seed + "): " + e.getMessage(), e);
    }
  }
}
