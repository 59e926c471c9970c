package dev.kvorum.raft;

import java.util.List;

/// Who votes and who learns, as a snapshot stores it. Lists are ascending by unsigned id.
///
/// @param votersOutgoing voters of the configuration being left; empty unless joint
/// @param learnersNext voters that become learners when the joint configuration is left
/// @param autoLeave whether the leader leaves a joint configuration by itself
public record ConfState(
    List<Long> voters, List<Long> learners, List<Long> votersOutgoing, List<Long> learnersNext, boolean autoLeave) {
  public static final ConfState EMPTY = new ConfState(List.of(), List.of(), List.of(), List.of(), false);

  public ConfState {
    voters = List.copyOf(voters);
    learners = List.copyOf(learners);
    votersOutgoing = List.copyOf(votersOutgoing);
    learnersNext = List.copyOf(learnersNext);
  }

  public static ConfState of(List<Long> voters, List<Long> learners) {
    return new ConfState(voters, learners, List.of(), List.of(), false);
  }
}
