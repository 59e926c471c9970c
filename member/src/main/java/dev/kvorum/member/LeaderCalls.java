package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.World;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerLinks;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Asks whoever leads, this member or another, for what only a leader knows or may do: again and again, until it answers
/// or time is up. Any thread.
final class LeaderCalls {
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final World world;
  private final MemberConfig config;
  private final RaftLoop raftLoop;
  private final ApplyLoop applyLoop;
  private final PeerLinks links;
  private volatile boolean removed;

  LeaderCalls(World world, MemberConfig config, RaftLoop raftLoop, ApplyLoop applyLoop, PeerLinks links) {
    this.world = world;
    this.config = config;
    this.raftLoop = raftLoop;
    this.applyLoop = applyLoop;
    this.links = links;
  }

  /// @param here asks this member, if it leads
  /// @param there asks another
  /// @param isAnswer whether a refusal is the leader's answer, and no reason to ask again
  <A> void ask(Consumer<Reply<A>> here, PeerCall<A> there, Predicate<EtcdException> isAnswer, Reply<A> reply) {
    ask(here, there, isAnswer, reply, world.clock().nanos() + config.requestTimeoutNanos());
  }

  /// This member is removed: those whom it asks would hear it no more, and it is about to stop.
  void end() {
    removed = true;
  }

  private <A> void ask(
      Consumer<Reply<A>> here, PeerCall<A> there, Predicate<EtcdException> isAnswer, Reply<A> reply, long deadlineNanos) {
    if (removed) {
      reply.refuse(EtcdException.of(EtcdError.STOPPED));
      return;
    }
    long left = deadlineNanos - world.clock().nanos();
    RaftStatus raft = raftLoop.status();
    if (left <= 0) {
      reply.refuse(EtcdException.of(raft.lead() == 0 ? EtcdError.NO_LEADER : EtcdError.TIMEOUT));
      return;
    }
    Reply<A> retrying =
        new Reply<>() {
          @Override
          public void complete(A answer) {
            reply.complete(answer);
          }

          @Override
          public void refuse(EtcdException why) {
            if (isAnswer.test(why)) {
              reply.refuse(why);
            } else {
              applyLoop.loop().schedule(RETRY_NANOS, () -> ask(here, there, isAnswer, reply, deadlineNanos));
            }
          }
        };
    if (raft.leader()) {
      here.accept(retrying);
    } else if (raft.lead() != 0) {
      links.call(raft.lead(), there, left, retrying);
    } else {
      retrying.refuse(EtcdException.of(EtcdError.NO_LEADER));
    }
  }
}
