package dev.kvorum.member;

import dev.kvorum.state.membership.Member;
import java.util.List;

/// A running cluster that this member is about to join, as one of its members told: whoever starts a member has asked
/// (`GET /members` in etcd).
///
/// @param members all of them, this one included: it was added before it starts
public record RemoteCluster(long clusterId, List<Member> members) {
  public RemoteCluster {
    members = List.copyOf(members);
  }
}
