package dev.kvorum.sim.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.sim.Survival;
import dev.kvorum.raft.Message;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.Trace;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who asks for votes.
class CandidateTest {
  private static final long SECOND = 1_000_000_000L;

  /// Else it might stand in that term once more, with a log that has lost what the votes were given for; and they might
  /// come only then.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aCandidateThatLosesPowerAsItAsksForVotesRemembersTheTerm(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Scheduler scheduler = new Scheduler(random.split(), new Trace(null));
    Cluster cluster = new Cluster(scheduler, random.split(), Scenarios.quiet(false));
    AtomicReference<Message.Vote> asked = new AtomicReference<>();
    cluster.network().onSend(message -> {
      if (message instanceof Message.Vote vote) {
        asked.compareAndSet(null, vote);
      }
    });
    cluster.startAll();
    assertThat(scheduler.runUntil(() -> asked.get() != null, 30 * SECOND)).isTrue();
    Node candidate = cluster.nodes().stream().filter(node -> node.id() == asked.get().from()).findFirst().orElseThrow();
    candidate.losePower(Survival.NOTHING);
    candidate.start();
    assertThat(scheduler.runUntil(() -> candidate.member() != null, 60 * SECOND)).isTrue();
    assertThat(candidate.member().raftTerm()).isGreaterThanOrEqualTo(asked.get().term());
  }
}
