package dev.kvorum.raft.confchange;

import dev.kvorum.env.Invariant;
import dev.kvorum.raft.ConfChange.Single;
import dev.kvorum.raft.ConfChange.Type;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.quorum.IdSet;
import dev.kvorum.raft.quorum.JointQuorum;
import dev.kvorum.raft.tracker.Configuration;
import dev.kvorum.raft.tracker.Progress;
import dev.kvorum.raft.tracker.ProgressTracker;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// A draft of the next configuration, worked out on copies. After a refusal it is thrown away.
///
/// Changes of one voter may be made simply: old and new majorities overlap (Raft thesis §4.1). Larger ones go through a
/// joint configuration, in which both the old (outgoing) and the new (incoming) majority must agree (§4.3). A voter
/// that becomes a learner stays a voter of the outgoing half, so until that is left it waits in `learnersNext`.
///
/// Worked example: from `voters=(1 2 3)`, entering with "remove 1, add 4, make 2 a learner" gives
/// `voters=(3 4)&&(1 2 3) learners_next=(2)`, and leaving gives `voters=(3 4) learners=(2)`.
public final class ConfChanger {
  private final ProgressTracker tracker;
  private final long lastIndex;
  private final SortedMap<Long, Progress> members;
  private IdSet incoming;
  private IdSet outgoing;
  private IdSet learners;
  private IdSet learnersNext;
  private boolean autoLeave;

  /// @param lastIndex where replication to newcomers starts looking
  public ConfChanger(ProgressTracker tracker, long lastIndex) {
    this.tracker = tracker;
    this.lastIndex = lastIndex;
    Configuration current = tracker.configuration();
    members = tracker.copyMembers();
    incoming = current.voters().incoming();
    outgoing = current.voters().outgoing();
    learners = current.learners();
    learnersNext = current.learnersNext();
    autoLeave = current.autoLeave();
  }

  public Configuration configuration() {
    return new Configuration(new JointQuorum(incoming, outgoing), learners, learnersNext, autoLeave);
  }

  /// The members of [#configuration], ascending by unsigned id.
  public SortedMap<Long, Progress> members() {
    return members;
  }

  /// Applies changes of which at most one moves a voter.
  public void simple(List<Single> changes) throws ConfChangeRefusedException {
    if (isJoint()) {
      throw new ConfChangeRefusedException("can't apply simple config change in joint config");
    }
    IdSet before = incoming;
    apply(changes);
    if (before.symmetricDifference(incoming) > 1) {
      throw new ConfChangeRefusedException("more than one voter changed without entering joint config");
    }
    checkInvariants();
  }

  /// The present voters become the outgoing half; the changes are made to the incoming one.
  public void enterJoint(boolean leaveAutomatically, List<Single> changes) throws ConfChangeRefusedException {
    if (isJoint()) {
      throw new ConfChangeRefusedException("config is already joint");
    }
    if (incoming.isEmpty()) {
      throw new ConfChangeRefusedException("can't make a zero-voter config joint");
    }
    outgoing = incoming;
    apply(changes);
    autoLeave = leaveAutomatically;
    checkInvariants();
  }

  /// Drops the outgoing half, and with it whoever is neither voter nor learner of the incoming one.
  public void leaveJoint() throws ConfChangeRefusedException {
    if (!isJoint()) {
      throw new ConfChangeRefusedException("can't leave a non-joint config");
    }
    for (int i = 0; i < learnersNext.size(); i++) {
      long id = learnersNext.at(i);
      learners = learners.with(id);
      member(id).setLearner(true);
    }
    learnersNext = IdSet.EMPTY;
    for (int i = 0; i < outgoing.size(); i++) {
      long id = outgoing.at(i);
      if (!incoming.contains(id) && !learners.contains(id)) {
        members.remove(id);
      }
    }
    outgoing = IdSet.EMPTY;
    autoLeave = false;
    checkInvariants();
  }

  /// Makes a draft that began empty equal to `state`, by changes alone: first the outgoing voters one by one, then one
  /// joint step to the incoming half.
  public void restore(ConfState state) throws ConfChangeRefusedException {
    List<Single> toIncoming = new ArrayList<>();
    state.votersOutgoing().forEach(id -> toIncoming.add(new Single(Type.REMOVE_NODE, id)));
    state.voters().forEach(id -> toIncoming.add(new Single(Type.ADD_NODE, id)));
    state.learners().forEach(id -> toIncoming.add(new Single(Type.ADD_LEARNER_NODE, id)));
    state.learnersNext().forEach(id -> toIncoming.add(new Single(Type.ADD_LEARNER_NODE, id)));
    if (state.votersOutgoing().isEmpty()) {
      for (Single change : toIncoming) {
        simple(List.of(change));
      }
      return;
    }
    for (long id : state.votersOutgoing()) {
      simple(List.of(new Single(Type.ADD_NODE, id)));
    }
    enterJoint(state.autoLeave(), toIncoming);
  }

  private boolean isJoint() {
    return !outgoing.isEmpty();
  }

  private void apply(List<Single> changes) throws ConfChangeRefusedException {
    for (Single change : changes) {
      if (change.nodeId() == 0) {
        // etcd zeroes the node of changes it refuses while applying: they change nothing.
        continue;
      }
      switch (change.type()) {
        case ADD_NODE -> makeVoter(change.nodeId());
        case ADD_LEARNER_NODE -> makeLearner(change.nodeId());
        case REMOVE_NODE -> remove(change.nodeId());
        case UPDATE_NODE -> {
          // Only its context matters, and only to the application.
        }
      }
    }
    if (incoming.isEmpty()) {
      throw new ConfChangeRefusedException("removed all voters");
    }
  }

  private void makeVoter(long id) {
    Progress member = members.get(id);
    if (member == null) {
      members.put(id, tracker.newcomer(lastIndex, false));
    } else {
      member.setLearner(false);
    }
    learners = learners.without(id);
    learnersNext = learnersNext.without(id);
    incoming = incoming.with(id);
  }

  private void makeLearner(long id) {
    Progress member = members.get(id);
    if (member == null) {
      members.put(id, tracker.newcomer(lastIndex, true));
      learners = learners.with(id);
      return;
    }
    if (member.isLearner()) {
      return;
    }
    incoming = incoming.without(id);
    if (outgoing.contains(id)) {
      learnersNext = learnersNext.with(id);
    } else {
      member.setLearner(true);
      learners = learners.with(id);
    }
  }

  private void remove(long id) {
    incoming = incoming.without(id);
    learners = learners.without(id);
    learnersNext = learnersNext.without(id);
    if (!outgoing.contains(id)) {
      members.remove(id);
    }
  }

  private Progress member(long id) {
    @Nullable Progress member = members.get(id);
    if (member == null) {
      throw Invariant.unreachable("no progress for " + Long.toHexString(id));
    }
    return member;
  }

  private void checkInvariants() {
    for (int i = 0; i < learnersNext.size(); i++) {
      long id = learnersNext.at(i);
      Invariant.check(outgoing.contains(id), "a learner to be is not an outgoing voter");
      Invariant.check(!member(id).isLearner(), "a learner to be is a learner already");
    }
    for (int i = 0; i < learners.size(); i++) {
      long id = learners.at(i);
      Invariant.check(!incoming.contains(id) && !outgoing.contains(id), "a learner votes");
      Invariant.check(member(id).isLearner(), "a learner is not marked so");
    }
    if (!isJoint()) {
      Invariant.check(learnersNext.isEmpty(), "learners to be, outside of a joint configuration");
      Invariant.check(!autoLeave, "automatic leave, outside of a joint configuration");
    }
    int expected = incoming.union(outgoing).union(learners).size();
    Invariant.check(members.size() == expected, "progress is kept for other members than the configuration's");
  }
}
