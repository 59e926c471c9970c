package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Clock;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.member.peer.PeerService;
import dev.kvorum.raft.Message;
import dev.kvorum.state.backend.BackendSnapshot;
import dev.kvorum.state.membership.DowngradeInfo;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MembershipView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// What a cluster can afford, member by member.
class StrictReconfigTest {
  private static final long NOW = TimeUnit.SECONDS.toNanos(100);
  private static final long HEALTHY = NOW - TimeUnit.SECONDS.toNanos(5);
  private static final long FRESH = HEALTHY + 1;
  private static final Member FOURTH = Member.voter(4, List.of("http://d:1"));

  private static final class FixedClock implements Clock {
    @Override
    public long nanos() {
      return NOW;
    }

    @Override
    public long wallMillis() {
      return 0;
    }
  }

  private record Reach(Map<Long, Long> since) implements PeerLinks {
    @Override
    public void start(PeerService local) {}

    @Override
    public void members(MembershipView view) {}

    @Override
    public void send(Message message) {}

    @Override
    public void sendSnapshot(Message.InstallSnapshot message, BackendSnapshot database) {}

    @Override
    public long activeSinceNanos(long member) {
      return since.getOrDefault(member, INACTIVE);
    }

    @Override
    public <A> void call(long member, PeerCall<A> call, long timeoutNanos, Reply<A> reply) {}

    @Override
    public void stop() {}
  }

  /// Member 1 judges; the others are in reach since the times given.
  private static StrictReconfig with(Map<Long, Long> since) {
    return new StrictReconfig(new FixedClock(), 1, new Reach(since));
  }

  /// Voters 1, 2, … of which the first `started` have published themselves.
  private static MembershipView voters(int count, int started) {
    List<Member> members = new ArrayList<>();
    for (int id = 1; id <= count; id++) {
      Member member = Member.voter(id, List.of("http://m" + id + ":1"));
      members.add(id <= started ? member.withAttributes("m" + id, List.of()) : member);
    }
    return new MembershipView(members, List.of(), null, DowngradeInfo.NONE);
  }

  @Test
  void aClusterOfOneMayAlwaysGrow() {
    assertThat(with(Map.of()).addition(voters(1, 1), FOURTH)).isNull();
  }

  @Test
  void aVoterIsAddedOnlyWhileEnoughHaveStarted() {
    Map<Long, Long> all = Map.of(2L, HEALTHY, 3L, HEALTHY);
    assertThat(with(all).addition(voters(3, 3), FOURTH)).isNull();
    assertThat(with(all).addition(voters(3, 2), FOURTH)).isEqualTo(EtcdError.MEMBER_NOT_ENOUGH_STARTED);
    assertThat(with(all).addition(voters(2, 1), FOURTH)).isEqualTo(EtcdError.MEMBER_NOT_ENOUGH_STARTED);
    assertThat(with(all).addition(voters(3, 2), Member.learner(4, List.of("http://d:1")))).isNull();
  }

  @Test
  void nobodyIsAddedUnlessAQuorumOfTheGrownClusterHasBeenInReachForFiveSeconds() {
    assertThat(with(Map.of(2L, HEALTHY)).addition(voters(3, 3), FOURTH)).isEqualTo(EtcdError.UNHEALTHY);
    assertThat(with(Map.of(2L, HEALTHY, 3L, FRESH)).addition(voters(3, 3), FOURTH)).isEqualTo(EtcdError.UNHEALTHY);
    assertThat(with(Map.of(2L, FRESH)).addition(voters(2, 2), Member.learner(4, List.of("http://d:1"))))
        .isEqualTo(EtcdError.UNHEALTHY);
  }

  @Test
  void aVoterGoesOnlyIfTheRestCanWork() {
    Map<Long, Long> all = Map.of(2L, HEALTHY, 3L, HEALTHY);
    assertThat(with(all).removal(voters(3, 3), 3)).isNull();
    assertThat(with(all).removal(voters(3, 2), 2)).isEqualTo(EtcdError.MEMBER_NOT_ENOUGH_STARTED);
    assertThat(with(Map.of(3L, HEALTHY)).removal(voters(3, 3), 3)).isEqualTo(EtcdError.UNHEALTHY);
    assertThat(with(Map.of(3L, HEALTHY)).removal(voters(3, 3), 2)).as("the one out of reach").isNull();
    assertThat(with(all).removal(voters(3, 3), 9)).as("nobody").isNull();
  }

  @Test
  void aLearnerBecomesAVoterOnlyIfEnoughHaveStarted() {
    MembershipView two = voters(2, 2);
    List<Member> members = new ArrayList<>(two.members());
    members.add(Member.learner(3, List.of("http://c:1")));
    MembershipView learning = new MembershipView(members, List.of(), null, DowngradeInfo.NONE);
    assertThat(with(Map.of()).promotion(learning, 3)).isNull();
    members.set(1, Member.voter(2, List.of("http://m2:1")));
    MembershipView halfStarted = new MembershipView(members, List.of(), null, DowngradeInfo.NONE);
    assertThat(with(Map.of()).promotion(halfStarted, 3)).isEqualTo(EtcdError.MEMBER_NOT_ENOUGH_STARTED);
  }
}
