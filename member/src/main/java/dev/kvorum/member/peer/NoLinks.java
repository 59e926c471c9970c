package dev.kvorum.member.peer;

import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.Invariant;
import dev.kvorum.member.Reply;
import dev.kvorum.raft.Message;
import dev.kvorum.state.backend.BackendSnapshot;
import dev.kvorum.state.membership.MembershipView;

/// The links of a member without others.
final class NoLinks implements PeerLinks {
  @Override
  public void start(PeerService local) {}

  @Override
  public void members(MembershipView view) {}

  @Override
  public void send(Message message) {
    throw Invariant.unreachable("a message for a peer this member does not have: " + message);
  }

  @Override
  public void sendSnapshot(Message.InstallSnapshot message, BackendSnapshot database) {
    throw Invariant.unreachable("a snapshot for a peer this member does not have: " + message);
  }

  @Override
  public long activeSinceNanos(long member) {
    return INACTIVE;
  }

  @Override
  public <A> void call(long member, PeerCall<A> call, long timeoutNanos, Reply<A> reply) {
    reply.refuse(EtcdException.of(GrpcCode.UNAVAILABLE, "no such peer"));
  }

  @Override
  public void stop() {}
}
