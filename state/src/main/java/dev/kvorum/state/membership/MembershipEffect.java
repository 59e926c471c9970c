package dev.kvorum.state.membership;

/// What an applied change of membership means for whoever keeps connections to the members.
public sealed interface MembershipEffect {
  record Added(Member member) implements MembershipEffect {}

  record Promoted(Member member) implements MembershipEffect {}

  /// The peer URLs changed.
  record Updated(Member member) implements MembershipEffect {}

  /// If it is this member, it must stop (etcd: a second later).
  record Removed(long memberId) implements MembershipEffect {}
}
