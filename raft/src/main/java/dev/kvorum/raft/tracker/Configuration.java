package dev.kvorum.raft.tracker;

import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.quorum.IdSet;
import dev.kvorum.raft.quorum.JointQuorum;

/// Who votes and who learns. Voters of both halves and `learners` do not overlap.
///
/// @param learnersNext voters of the outgoing half that become learners when the joint configuration is left: until
///     then they may still be needed to vote
/// @param autoLeave whether the leader leaves the joint configuration by itself
public record Configuration(JointQuorum voters, IdSet learners, IdSet learnersNext, boolean autoLeave) {
  public static final Configuration EMPTY = new Configuration(JointQuorum.EMPTY, IdSet.EMPTY, IdSet.EMPTY, false);

  public boolean isJoint() {
    return voters.isJoint();
  }

  public ConfState confState() {
    return new ConfState(
        voters.incoming().toList(),
        learners.toList(),
        voters.outgoing().toList(),
        learnersNext.toList(),
        autoLeave);
  }

  /// As etcd raft prints it: `voters=(1 2)&&(2 3) learners=(4) learners_next=(1) autoleave`.
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("voters=").append(voters);
    if (!learners.isEmpty()) {
      text.append(" learners=").append(learners);
    }
    if (!learnersNext.isEmpty()) {
      text.append(" learners_next=").append(learnersNext);
    }
    if (autoLeave) {
      text.append(" autoleave");
    }
    return text.toString();
  }
}
