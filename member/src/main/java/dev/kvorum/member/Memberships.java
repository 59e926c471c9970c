package dev.kvorum.member;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfState;
import dev.kvorum.state.membership.MembershipView;
import dev.kvorum.state.membership.StoredConfState;
import dev.kvorum.state.schema.Version;
import dev.kvorum.wal.V2MembershipJson;
import java.util.ArrayList;
import java.util.List;

/// The membership in the two other forms the world knows it in: raft's configuration, and the v2 document that etcd
/// 3.6 reads from a `.snap` file.
final class Memberships {
  private Memberships() {}

  /// etcd never makes joint configurations, so voters and learners are all there is.
  static ConfState confState(MembershipView view) {
    List<Long> voters = new ArrayList<>();
    List<Long> learners = new ArrayList<>();
    for (var member : view.members()) {
      (member.isLearner() ? learners : voters).add(member.id());
    }
    return ConfState.of(voters, learners);
  }

  static StoredConfState storedConfState(MembershipView view) {
    ConfState conf = confState(view);
    return new StoredConfState(conf.voters(), conf.learners(), List.of(), List.of(), false);
  }

  static Bytes v2Document(MembershipView view, long index) {
    List<V2MembershipJson.Member> members = new ArrayList<>();
    for (var member : view.members()) {
      members.add(
          new V2MembershipJson.Member(
              member.id(), member.peerUrlsOrNone(), member.isLearner(), member.name(), member.clientUrls()));
    }
    Version version = view.clusterVersion();
    return V2MembershipJson.encode(members, view.removedIds(), version == null ? null : version.toString(), index);
  }
}
