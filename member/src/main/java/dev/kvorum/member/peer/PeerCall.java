package dev.kvorum.member.peer;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.schema.Version;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What members ask each other besides raft; each is an HTTP request in etcd (`peer-protocol.md` §10).
///
/// @param <A> the answer
public sealed interface PeerCall<A> {
  /// Renews a lease on the leader, which answers with its time to live in seconds; `LEASE_NOT_FOUND` when it is gone.
  record RenewLease(long id) implements PeerCall<Long> {}

  /// What the leader knows of a lease; `LEASE_NOT_FOUND` when there is none.
  record LeaseTimeToLive(long id, boolean keys) implements PeerCall<LeaseTimes> {}

  /// @param keys in byte order, empty unless asked for
  record LeaseTimes(long remainingSeconds, long grantedSeconds, List<Bytes> keys) {}

  /// Makes a learner a voter, which only the leader can judge. The answer is the members afterwards.
  record PromoteMember(long id) implements PeerCall<List<Member>> {}

  /// Which versions a member is of.
  record Versions() implements PeerCall<ServerVersions> {}

  /// @param cluster null when not decided
  record ServerVersions(Version server, @Nullable Version cluster) {}

  /// The hash of the key space at `revision`, or at the current one when 0.
  record HashKv(long revision) implements PeerCall<KeyHash> {}

  /// @param currentRevision of the member asked
  record KeyHash(long currentRevision, int hash, long compactRevision, long hashRevision) {}
}
