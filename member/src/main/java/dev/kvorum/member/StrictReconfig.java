package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Clock;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MembershipView;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Whether the cluster can afford a change of its members (`--strict-reconfig-check`): one that would leave it without
/// a working quorum is refused before it is proposed, for afterwards nothing could undo it.
///
/// *Started* is a member that has published its name; *connected* one that has been within reach for five seconds.
/// Source: `apply-semantics.md` §13.
final class StrictReconfig {
  private static final long HEALTHY_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final Clock clock;
  private final long self;
  private final PeerLinks links;

  StrictReconfig(Clock clock, long self, PeerLinks links) {
    this.clock = clock;
    this.self = self;
    this.links = links;
  }

  /// @return why `added` must not be; null when it may
  @Nullable EtcdError addition(MembershipView view, Member added) {
    List<Member> voters = view.voters();
    long started = voters.stream().filter(Member::isStarted).count();
    int votersAfter = voters.size() + 1;
    // from one to two is how every cluster begins to grow
    boolean second = started == 1 && votersAfter == 2;
    if (!added.isLearner() && !second && started < quorum(votersAfter)) {
      return EtcdError.MEMBER_NOT_ENOUGH_STARTED;
    }
    if (voters.size() > 1 && connected(voters) < quorum(votersAfter)) {
      return EtcdError.UNHEALTHY;
    }
    return null;
  }

  /// @return why `id` must not go; null when it may
  @Nullable EtcdError removal(MembershipView view, long id) {
    Member leaving = view.member(id);
    if (leaving == null || leaving.isLearner()) {
      return null; // of one that is not there, applying says so
    }
    List<Member> voters = view.voters();
    long started = voters.stream().filter(member -> member.id() != id && member.isStarted()).count();
    if (started < quorum(voters.size() - 1)) {
      return EtcdError.MEMBER_NOT_ENOUGH_STARTED;
    }
    if (id != self && links.activeSinceNanos(id) == PeerLinks.INACTIVE) {
      return null; // it is out of reach: the rest works without it, or nothing does
    }
    return connected(voters) - 1 < 1 + (voters.size() - 1) / 2 ? EtcdError.UNHEALTHY : null;
  }

  /// @return why learner `id` must not vote; null when it may
  @Nullable EtcdError promotion(MembershipView view, long id) {
    List<Member> voters = view.voters();
    Member learner = view.member(id);
    long started = voters.stream().filter(Member::isStarted).count();
    if (learner != null && learner.isStarted()) {
      started++;
    }
    return started < quorum(voters.size() + 1) ? EtcdError.MEMBER_NOT_ENOUGH_STARTED : null;
  }

  private static int quorum(int voters) {
    return voters / 2 + 1;
  }

  private long connected(List<Member> voters) {
    long now = clock.nanos();
    return voters.stream().filter(member -> member.id() == self || isHealthy(member.id(), now)).count();
  }

  private boolean isHealthy(long id, long nowNanos) {
    long since = links.activeSinceNanos(id);
    return since != PeerLinks.INACTIVE && nowNanos - since >= HEALTHY_NANOS;
  }
}
