package dev.kvorum.sim.client;

import dev.kvorum.api.etcdserverpb.MoveLeaderRequest;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.world.Scheduler;
import java.util.List;
import java.util.SplittableRandom;

/// An operator who moves leadership about: mostly by asking the leader for some member, now and then the wrong one for
/// the wrong one.
public final class TransferClient {
  private static final long TIMEOUT_NANOS = 10_000_000_000L;

  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Caller caller;

  public TransferClient(Cluster cluster, SplittableRandom random) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.caller = new Caller(cluster, random.split(), "transfer");
  }

  public void begin() {
    scheduler.spawn(
        null,
        "transfer",
        () -> {
          while (!cluster.isHealing()) {
            scheduler.sleep(random.nextLong(5_000_000_000L));
            Node asked = random.nextInt(6) == 0 ? cluster.anyUp(random) : cluster.leader();
            List<Node> members = cluster.members();
            if (asked != null && !members.isEmpty()) {
              move(asked, members.get(random.nextInt(members.size())));
            }
          }
        });
  }

  private void move(Node asked, Node heir) {
    MoveLeaderRequest request = MoveLeaderRequest.newBuilder().setTargetID(heir.id()).build();
    Heard heard = caller.ask(asked, TIMEOUT_NANOS, (member, from, reply) ->
        member.maintenance().moveLeader(request, from, reply));
    String came =
        switch (heard) {
          case Heard.Answered _ -> "moved";
          case Heard.Refused refused -> "refused: " + refused.why().getMessage();
          case Heard.NotAsked _ -> "not asked";
          case Heard.Nothing _ -> "no answer";
        };
    scheduler.trace().event(scheduler.now(), "transfer", asked.name() + " to " + heir.name() + " " + came);
  }

  /// Once more, when all is well: `heir`, a voter, leads in the end. @return whether it does in time
  public boolean insist(Node heir, long withinNanos) {
    long deadline = scheduler.now() + withinNanos;
    while (scheduler.now() < deadline) {
      Node leader = cluster.leader();
      if (leader == heir) {
        return true;
      }
      if (leader != null) {
        move(leader, heir);
      }
      scheduler.sleep(100_000_000);
    }
    return false;
  }
}
