package dev.kvorum.member;

import dev.kvorum.raft.RawNode;

/// What everyone may know of this member's raft node, immutable, published after each Ready.
///
/// @param lead the leader's id, 0 when none is known
/// @param leader whether this member leads
/// @param soleVoter whether this member is the only voter, so that nobody else can ever lead without its vote
record RaftStatus(long term, long lead, boolean leader, boolean soleVoter, long committed) {
  static RaftStatus of(RawNode node, boolean soleVoter) {
    return new RaftStatus(node.term(), node.lead(), node.isLeader(), soleVoter, node.committed());
  }
}
