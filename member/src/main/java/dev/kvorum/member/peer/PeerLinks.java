package dev.kvorum.member.peer;

import dev.kvorum.member.Reply;
import dev.kvorum.raft.Message;
import dev.kvorum.state.backend.BackendSnapshot;
import dev.kvorum.state.membership.MembershipView;

/// How a member reaches the others, and they it. The member declares what it needs; `server` keeps it over HTTP, the
/// simulator over a network that it can break.
///
/// A link promises little: messages may be lost, repeated, reordered or late, and raft lives with that. Only a
/// `Message.Propose` must not come twice: it would be two entries, and happen twice. All methods are called on the
/// member's loops and return at once.
public interface PeerLinks {
  /// Nobody to reach: the links of a member that is its whole cluster.
  PeerLinks NONE = new NoLinks();

  /// [#activeSinceNanos] of a member that cannot be reached now.
  long INACTIVE = Long.MAX_VALUE;

  /// Begins: what arrives goes to `local` from now on. Once, before anything else.
  void start(PeerService local);

  /// Who belongs to the cluster now, this member included. Links to others end, links to new ones begin, and changed
  /// URLs are used from now on. A removed member is told so when it calls, and by nothing else.
  void members(MembershipView view);

  /// Sends to `message.to()`, in order as far as the network keeps it. Where the link is down or full the message is
  /// dropped and [PeerService#unreachable] called.
  void send(Message message);

  /// Sends a snapshot with the whole database, and closes `database`. How it went is told to
  /// [PeerService#snapshotSent].
  void sendSnapshot(Message.InstallSnapshot message, BackendSnapshot database);

  /// Since when, on the member's clock, `member` has been within reach without a break, or [#INACTIVE].
  long activeSinceNanos(long member);

  /// Asks another member something, of which exactly one answer comes, from any thread: the member's own (an
  /// `EtcdException` as it gave it), or `UNAVAILABLE` when nothing came within `timeoutNanos`.
  <A> void call(long member, PeerCall<A> call, long timeoutNanos, Reply<A> reply);

  /// Ends all links. Nothing reaches [PeerService] afterwards.
  void stop();
}
