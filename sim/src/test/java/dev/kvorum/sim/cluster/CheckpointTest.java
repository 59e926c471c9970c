package dev.kvorum.sim.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.sim.client.KvClient;
import dev.kvorum.sim.client.Memory;
import dev.kvorum.sim.client.Requests;
import dev.kvorum.sim.client.TransferClient;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.Trace;
import dev.kvorum.state.Request;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/// Three members, a lease of some minutes, and a change of leader.
class CheckpointTest {
  private static final long SECOND = 1_000_000_000L;
  private static final Bytes KEY = Bytes.utf8("k");

  private final SplittableRandom random = new SplittableRandom(1);
  private final Scheduler scheduler = new Scheduler(random.split(), new Trace(null));

  private Cluster cluster;
  private KvClient client;

  private <T> T on(Supplier<T> work) {
    AtomicReference<T> result = new AtomicReference<>();
    scheduler.spawn(null, "test", () -> result.set(work.get()));
    assertThat(scheduler.runUntil(() -> result.get() != null, scheduler.now() + 70 * SECOND)).isTrue();
    return result.get();
  }

  private Answer ask(Request request) {
    return on(() -> client.insist(request, cluster.nodes().getFirst(), 60 * SECOND));
  }

  /// A key on a lease of 400 s, and a new leader after 310.
  private void play(boolean leaseCheckpoint) {
    cluster = new Cluster(scheduler, random.split(), Scenarios.quiet(leaseCheckpoint));
    client = new KvClient(cluster, random.split(), new Memory(), new Requests(random.split(), 3, 10), 1);
    TransferClient transfers = new TransferClient(cluster, random.split());
    cluster.heal(cluster.nodes());
    ask(new Request.LeaseGrant(400, 7));
    ask(new Request.Put(KEY, KEY, 7, false, false, false));
    scheduler.runUntil(() -> false, 310 * SECOND);
    Node heir = cluster.nodes().stream().filter(node -> node != cluster.leader()).findFirst().orElseThrow();
    assertThat(on(() -> transfers.insist(heir, 60 * SECOND))).isTrue();
  }

  private boolean isThere(int atSeconds) {
    scheduler.runUntil(() -> false, atSeconds * SECOND);
    Answer answer = ask(KvClient.everything());
    assertThat(cluster.finding()).isNull();
    return !((Answer.Ranged) answer).kvs().isEmpty();
  }

  @Test
  void theTimeALeaseHasLeftSurvivesAChangeOfLeader() {
    play(true);
    assertThat(isThere(399)).isTrue();
    assertThat(isThere(430)).isFalse();
  }

  /// etcd's default.
  @Test
  void withoutCheckpointsANewLeaderGivesItAllItsTimeAgain() {
    play(false);
    assertThat(isThere(700)).isTrue();
    assertThat(isThere(730)).isFalse();
  }
}
