package dev.kvorum.sim.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.member.Reply;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.member.peer.PeerService;
import dev.kvorum.raft.Message;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimClock;
import dev.kvorum.sim.world.SimHost;
import dev.kvorum.sim.world.Trace;
import dev.kvorum.wal.SnapStore;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The network alone, with members that only listen.
class SimLinksTest {
  private static final long SECOND = 1_000_000_000L;

  private final Scheduler scheduler = new Scheduler(new SplittableRandom(1), new Trace(null));
  private final SimNetwork network = new SimNetwork(scheduler, new SplittableRandom(2));
  private final Listener one = new Listener(1);
  private final Listener two = new Listener(2);

  private final class Listener implements PeerService {
    final long id;
    final SimHost host;
    final SimLinks links;
    final List<Message> heard = new ArrayList<>();
    final List<Long> unreachable = new ArrayList<>();

    Listener(long id) {
      this.id = id;
      this.host = new SimHost(scheduler, new SplittableRandom(id), "m" + id);
      this.links = network.links(host, new SimClock(scheduler, 1_000, 1.0));
      links.start(this);
    }

    @Override
    public long memberId() {
      return id;
    }

    @Override
    public long clusterId() {
      return 9;
    }

    @Override
    public boolean isRemoved(long member) {
      return false;
    }

    @Override
    public void receive(Message message) {
      heard.add(message);
    }

    @Override
    public SnapStore.Receipt receiveDatabase(long index) {
      throw new UnsupportedOperationException("this one has no disk");
    }

    @Override
    public void unreachable(long member) {
      unreachable.add(member);
    }

    @Override
    public void snapshotSent(long member, boolean success) {}

    @Override
    @SuppressWarnings("unchecked")
    public <A> void serve(PeerCall<A> call, Reply<A> reply) {
      ((Reply<Long>) reply).complete(id);
    }
  }

  private static Message beat(long number) {
    return new Message.Heartbeat(2, 1, 1, number, Bytes.EMPTY);
  }

  private void send(int count) {
    for (int i = 0; i < count; i++) {
      one.links.send(beat(i));
    }
    scheduler.runUntil(() -> false, scheduler.now() + 10 * SECOND);
  }

  @Test
  void inFairWeatherAllArriveInOrder() {
    send(100);
    assertThat(two.heard).hasSize(100);
    assertThat(two.heard.stream().map(message -> ((Message.Heartbeat) message).commit())).isSorted();
  }

  @Test
  void inFoulWeatherSomeAreLostAndRepeatedAndOvertaken() {
    network.weather(new Weather(1_000_000, 100, 100, 300, 50_000_000));
    send(1_000);
    List<Long> commits = two.heard.stream().map(message -> ((Message.Heartbeat) message).commit()).toList();
    assertThat(commits.stream().distinct().count()).isBetween(800L, 980L);
    assertThat(commits.size()).isGreaterThan((int) commits.stream().distinct().count());
    assertThat(commits).isNotEqualTo(commits.stream().sorted().toList());
  }

  @Test
  void aProposalIsNeverRepeated() {
    network.weather(new Weather(1_000_000, 0, 1_000, 0, 50_000_000));
    one.links.send(new Message.Propose(2, 1, List.of()));
    send(0);
    assertThat(two.heard).hasSize(1);
  }

  @Test
  void aCutIsOneWayAndHeals() {
    network.cut(1, 2);
    assertThat(one.links.activeSinceNanos(2)).isEqualTo(PeerLinks.INACTIVE);
    send(20);
    two.links.send(new Message.HeartbeatResponse(1, 2, 1, Bytes.EMPTY));
    send(0);
    assertThat(two.heard).isEmpty();
    assertThat(one.unreachable).contains(2L);
    assertThat(one.heard).hasSize(1);
    network.heal();
    assertThat(one.links.activeSinceNanos(2)).isEqualTo(1_000 + scheduler.now());
    send(1);
    assertThat(two.heard).hasSize(1);
  }

  @Test
  void theDeadHearNothing() {
    two.host.kill("for the test");
    send(5);
    assertThat(two.heard).isEmpty();
  }

  @Test
  void everyCallIsAnsweredOnce() {
    List<Object> answers = new ArrayList<>();
    Reply<Long> reply =
        new Reply<>() {
          @Override
          public void complete(Long answer) {
            answers.add(answer);
          }

          @Override
          public void refuse(dev.kvorum.api.EtcdException why) {
            answers.add(why.code());
          }
        };
    one.links.call(2, new PeerCall.RenewLease(1), SECOND, reply);
    send(0);
    network.weather(new Weather(1_000_000, 1_000, 0, 0, 0));
    one.links.call(2, new PeerCall.RenewLease(1), SECOND, reply);
    send(0);
    network.cut(1, 2);
    one.links.call(2, new PeerCall.RenewLease(1), SECOND, reply);
    send(0);
    assertThat(answers).hasSize(3).startsWith(2L).endsWith(dev.kvorum.api.GrpcCode.UNAVAILABLE);
  }
}
