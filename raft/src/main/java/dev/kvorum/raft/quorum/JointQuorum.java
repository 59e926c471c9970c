package dev.kvorum.raft.quorum;

/// Two majorities that must both agree while the cluster moves from `outgoing` to `incoming` (Raft thesis §4.3).
/// When it is not moving, `outgoing` is empty.
public record JointQuorum(IdSet incoming, IdSet outgoing) {
  public static final JointQuorum EMPTY = new JointQuorum(IdSet.EMPTY, IdSet.EMPTY);

  public boolean isJoint() {
    return !outgoing.isEmpty();
  }

  /// Whether one voter decides alone.
  public boolean isSingleton() {
    return incoming.size() == 1 && outgoing.isEmpty();
  }

  /// Whether `id` votes in either half.
  public boolean contains(long id) {
    return incoming.contains(id) || outgoing.contains(id);
  }

  /// The voters of both halves.
  public IdSet ids() {
    return outgoing.isEmpty() ? incoming : incoming.union(outgoing);
  }

  public long committedIndex(Acks acks) {
    long index = MajorityQuorum.committedIndex(incoming, acks);
    return outgoing.isEmpty() ? index : Math.min(index, MajorityQuorum.committedIndex(outgoing, acks));
  }

  public VoteResult voteResult(Votes votes) {
    VoteResult in = MajorityQuorum.voteResult(incoming, votes);
    VoteResult out = MajorityQuorum.voteResult(outgoing, votes);
    if (in == out) {
      return in;
    }
    return in == VoteResult.LOST || out == VoteResult.LOST ? VoteResult.LOST : VoteResult.PENDING;
  }

  /// `(1 2)&&(2 3)`, or `(1 2)` when not joint.
  @Override
  public String toString() {
    return outgoing.isEmpty() ? incoming.toString() : incoming + "&&" + outgoing;
  }
}
