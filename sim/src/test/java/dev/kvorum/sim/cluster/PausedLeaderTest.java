package dev.kvorum.sim.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.kvorum.api.etcdserverpb.MemberRemoveRequest;
import dev.kvorum.env.Bytes;
import dev.kvorum.member.Caller;
import dev.kvorum.member.Reply;
import dev.kvorum.sim.client.KvClient;
import dev.kvorum.sim.client.Memory;
import dev.kvorum.sim.client.Requests;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import dev.kvorum.sim.world.Trace;
import dev.kvorum.state.Request;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A leader that was paused or cut off while another was elected takes itself for the leader for a while.
class PausedLeaderTest {
  private static final long SECOND = 1_000_000_000L;

  private Scheduler scheduler;
  private Cluster cluster;
  private KvClient client;

  private void begin(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    scheduler = new Scheduler(random.split(), new Trace(null));
    cluster = new Cluster(scheduler, random.split(), Scenarios.quiet(false));
    client = new KvClient(cluster, random.split(), new Memory(), new Requests(random.split(), 3, 10), 1);
    cluster.heal(cluster.nodes());
  }

  private Answer ask(Node node, Request request) {
    AtomicReference<Answer> answer = new AtomicReference<>();
    scheduler.spawn(null, "test", () -> answer.set(client.insist(request, node, 60 * SECOND)));
    assertThat(scheduler.runUntil(() -> answer.get() != null, scheduler.now() + 70 * SECOND)).isTrue();
    return answer.get();
  }

  /// What `node` answers to a renewal that reaches it at once: the TTL, a refusal, or nothing.
  private Object renew(Node node, long lease) {
    SimHost host = node.host();
    AtomicReference<Object> heard = new AtomicReference<>();
    LeaseKeepAliveRequest request = LeaseKeepAliveRequest.newBuilder().setID(lease).build();
    scheduler.spawn(
        host,
        "renewal",
        () ->
            node.member()
                .leases()
                .keepAlive(request, Caller.LOCAL, hearing(heard, PausedLeaderTest::ttlOf)));
    scheduler.runUntil(() -> heard.get() != null, scheduler.now() + 30 * SECOND);
    return heard.get();
  }

  private static Reply<Encoded> hearing(AtomicReference<Object> heard, Function<Encoded, Object> read) {
    return new Reply<>() {
      @Override
      public void complete(Encoded answer) {
        heard.set(read.apply(answer));
      }

      @Override
      public void refuse(EtcdException why) {
        heard.set(why);
      }
    };
  }

  private static Object ttlOf(Encoded answer) {
    try {
      return LeaseKeepAliveResponse.parseFrom(answer.toByteArray()).getTTL();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  /// It knows nothing of leases granted meanwhile, and must not say that they are gone.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aLeaderThatWasPausedAnswersForNoLeaseBeforeItKnowsThatItLeads(long seed) {
    begin(seed);
    ask(cluster.nodes().getFirst(), Request.Put.of(Bytes.utf8("k"), Bytes.utf8("v")));
    Node old = cluster.leader();
    assertThat(old).isNotNull();
    old.host().pause(6 * SECOND);
    assertThat(scheduler.runUntil(() -> cluster.nodes().stream().anyMatch(n -> n != old && leads(n)), scheduler.now() + 5 * SECOND))
        .isTrue();
    Node leader = cluster.nodes().stream().filter(n -> n != old && leads(n)).findFirst().orElseThrow();
    ask(leader, new Request.LeaseGrant(60, 7));
    assertThat(old.host().isPaused()).isTrue();
    assertThat(renew(old, 7)).isEqualTo(60L);
  }

  /// It notices that it is cut off up to two election timeouts later; the others may have elected after one.
  @Test
  void aLeaderThatIsCutOffRenewsNoLeaseOnceAnotherIsElected() {
    int twoLed = 0;
    for (long seed = 1; seed <= 16; seed++) {
      begin(seed);
      ask(cluster.nodes().getFirst(), new Request.LeaseGrant(60, 7));
      Node old = cluster.leader();
      assertThat(old).isNotNull();
      List<Long> others = cluster.nodes().stream().map(Node::id).filter(id -> id != old.id()).toList();
      cluster.network().partition(List.of(old.id()), others);
      scheduler.runUntil(() -> cluster.nodes().stream().anyMatch(n -> n != old && leads(n)), scheduler.now() + 30 * SECOND);
      twoLed += leads(old) ? 1 : 0;
      assertThat(renew(old, 7)).as("seed %d", seed).isNotEqualTo(60L);
      cluster.end();
    }
    assertThat(twoLed).isPositive();
  }

  /// Raft lets it go on, but another may lead without its hearing of that: at once, if that one is left alone.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aLeaderThatHasAppliedItsRemovalRenewsNoLease(long seed) {
    begin(seed);
    ask(cluster.nodes().getFirst(), new Request.LeaseGrant(60, 7));
    scheduler.runUntil(() -> false, scheduler.now() + 6 * SECOND); // before, members do not count as connected
    Node old = cluster.leader();
    assertThat(old).isNotNull();
    MemberRemoveRequest removal = MemberRemoveRequest.newBuilder().setID(old.id()).build();
    AtomicReference<Object> removed = new AtomicReference<>();
    scheduler.spawn(
        old.host(),
        "removal",
        () -> old.member().cluster().memberRemove(removal, Caller.LOCAL, hearing(removed, answer -> "removed")));
    assertThat(scheduler.runUntil(() -> removed.get() != null, scheduler.now() + 5 * SECOND)).isTrue();
    assertThat(removed.get()).isEqualTo("removed");
    assertThat(leads(old)).isTrue();
    assertThat(renew(old, 7)).asString().as("neither renewed nor gone").contains("etcdserver: server stopped");
  }

  private static boolean leads(Node node) {
    return node.member() != null && node.member().isLeader();
  }
}
