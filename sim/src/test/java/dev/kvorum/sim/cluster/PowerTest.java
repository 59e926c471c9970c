package dev.kvorum.sim.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.sim.client.KvClient;
import dev.kvorum.sim.client.Memory;
import dev.kvorum.sim.client.Requests;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.Trace;
import dev.kvorum.state.Request;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// One member, and the power that fails it: the stories behind what seeds have found.
class PowerTest {
  private static final long SECOND = 1_000_000_000L;

  private final SplittableRandom random = new SplittableRandom(1);
  private final Scheduler scheduler = new Scheduler(random.split(), new Trace(null));
  private final Cluster cluster = new Cluster(scheduler, random.split(), Scenario.draw(random.split(), 1));
  private final KvClient client =
      new KvClient(cluster, random.split(), new Memory(), new Requests(random.split(), 3, 10), 1);

  private Answer ask(Request request) {
    AtomicReference<Answer> answer = new AtomicReference<>();
    scheduler.spawn(null, "test", () -> answer.set(client.insist(request, cluster.nodes().getFirst(), 60 * SECOND)));
    boolean answered = scheduler.runUntil(() -> answer.get() != null, scheduler.now() + 70 * SECOND);
    assertThat(answered).isTrue();
    return answer.get();
  }

  /// A first start must make the names of the directories durable that it creates.
  @Test
  void theFirstAcknowledgedWriteOutlivesAPowerFailureThatLeavesNothingUnsynced() {
    cluster.startAll();
    ask(Request.Put.of(Bytes.utf8("k"), Bytes.utf8("v")));
    Node node = cluster.nodes().getFirst();
    node.losePower(Survival.NOTHING);
    node.start();
    assertThat(ask(KvClient.everything()))
        .isInstanceOfSatisfying(
            Answer.Ranged.class, all -> assertThat(all.kvs()).extracting(kv -> kv.value().toUtf8()).containsExactly("v"));
  }
}
