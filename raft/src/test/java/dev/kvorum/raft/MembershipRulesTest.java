package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.ConfChange.Single;
import dev.kvorum.raft.ConfChange.Transition;
import dev.kvorum.raft.ConfChange.Type;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.Message.InstallSnapshot;
import dev.kvorum.raft.Message.Vote;
import dev.kvorum.raft.Message.VoteResponse;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// Raft thesis §4, with etcd raft's rule that a configuration comes into force when it is applied.
class MembershipRulesTest {
  private static ConfChange.V1 v1(Type type, long node) {
    return new ConfChange.V1(0, type, node, Bytes.EMPTY);
  }

  private static ConfChange.V2 v2(Transition transition, Single... changes) {
    return new ConfChange.V2(transition, List.of(changes), Bytes.EMPTY);
  }

  private static final ConfChange LEAVE = v2(Transition.AUTO);

  private static Solo proposing(Solo solo, ConfChange change) {
    solo.node.proposeConfChange(change);
    return solo.settle();
  }

  /// On the way from voters 1, 2 and 3 to 1, 4 and 5.
  private static ConfState joint(boolean autoLeave) {
    return new ConfState(List.of(1L, 4L, 5L), List.of(), List.of(1L, 2L, 3L), List.of(), autoLeave);
  }

  /// A follower that took `state` over with a snapshot at index 8, in term 1.
  private static Solo in(ConfState state, UnaryOperator<RaftConfig> config) {
    Solo solo = Solo.among(3, config);
    solo.take(new InstallSnapshot(1, 2, 1, new Snapshot(Bytes.EMPTY, state, 8, 1)));
    solo.takeSent();
    return solo;
  }

  /// Elected in term 2 by 2 and 4, who have its empty entry 9.
  private static Solo leading(Solo solo) {
    solo.node.campaign();
    solo.settle().take(new VoteResponse(1, 2, 2, false), new VoteResponse(1, 4, 2, false));
    solo.acknowledge(2, 9).acknowledge(4, 9);
    assertThat(solo.node.isLeader()).isTrue();
    solo.takeSent();
    return solo;
  }

  /// etcd raft: a configuration is in force once its entry is applied (the thesis: once it is appended), and decides
  /// what commits from there on.
  @Test
  void aChangeIsInForceWhenItsEntryIsApplied() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4));
    assertThat(solo.node.confState().voters()).containsExactly(1L, 2L, 3L);
    solo.acknowledge(2, 2);
    assertThat(solo.node.confState().voters()).containsExactly(1L, 2L, 3L, 4L);
    assertThat(solo.log.entry(2).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  /// etcd raft: a configuration is in force once its entry is applied (the thesis: once it is appended), and decides
  /// what commits from there on.
  @Test
  void theNextCommitNeedsTheNewQuorum() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4)).acknowledge(2, 2);
    solo.propose("x").acknowledge(2, 3);
    assertThat(solo.node.committed()).isEqualTo(2);
    solo.acknowledge(3, 3);
    assertThat(solo.node.committed()).isEqualTo(3);
  }

  /// Raft paper §6: the leader replicates to a new member from the moment it is one.
  @Test
  void aNewMemberIsSentTheLogAtOnce() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4));
    solo.takeSent();
    solo.acknowledge(2, 2);
    assertThat(solo.takeSent(Append.class).stream().filter(m -> m.to() == 4))
        .singleElement()
        .satisfies(m -> assertThat(m.entries()).extracting(Entry::index).containsExactly(2L));
  }

  /// Raft thesis §4.1: a follower takes entries from a leader outside of its configuration.
  @Test
  void aFollowerObeysALeaderItDoesNotKnow() {
    Solo solo = Solo.among(3).take(new Append(1, 9, 1, 0, 0, Solo.entries(1, 1), 1));
    assertThat(solo.takeSent()).containsExactly(new AppendResponse(9, 1, 1, 1, false, 0, 0));
    assertThat(solo.node.lead()).isEqualTo(9);
    assertThat(solo.applied).hasSize(1);
  }

  /// Raft thesis §4.1: a voter votes for a candidate outside of its configuration.
  @Test
  void aVoterVotesForACandidateItDoesNotKnow() {
    Solo solo = Solo.among(3).take(new Vote(1, 9, 1, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(9, 1, 1, false));
  }

  /// Raft thesis §4.1: one change that moves a voter at a time.
  @Test
  void aSecondChangeWaitsUntilTheFirstIsApplied() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4));
    proposing(solo, v1(Type.ADD_NODE, 5));
    assertThat(solo.log.entry(3)).as("its place is taken by nothing").isEqualTo(Entry.normal(1, 3, Bytes.EMPTY));
    solo.acknowledge(2, 3);
    proposing(solo, v1(Type.ADD_NODE, 5));
    assertThat(solo.log.entry(4).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  /// etcd raft: a new leader changes no configuration before it has committed, and applied, an entry of its term.
  @Test
  void aNewLeaderChangesNothingBeforeItHasAppliedWhatItFound() {
    Solo solo = Solo.withLog(1, 1, 1).lead();
    proposing(solo, v1(Type.ADD_NODE, 4));
    assertThat(solo.log.entry(4).type()).isEqualTo(EntryType.NORMAL);
    solo.acknowledge(2, 4);
    proposing(solo, v1(Type.ADD_NODE, 4));
    assertThat(solo.log.entry(5).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  /// etcd raft: the check can be left to the proposer.
  @Test
  void validationCanBeLeftToTheProposer() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withDisableConfChangeValidation(true))).leadAndCommit();
    proposing(proposing(solo, v1(Type.ADD_NODE, 4)), v1(Type.ADD_NODE, 5));
    assertThat(solo.log.entry(3).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  /// etcd raft: a leader checks what others forward, and puts an empty entry in the place of a change it refuses.
  @Test
  void aForwardedChangeIsCheckedByTheLeader() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4));
    Entry change = new Entry(EntryType.CONF_CHANGE, 0, 0, ConfChangeCodec.encode(v1(Type.REMOVE_NODE, 3)));
    solo.take(new Message.Propose(1, 2, List.of(Entry.normal(0, 0, Bytes.utf8("a")), change)));
    assertThat(solo.log.entry(3).data()).isEqualTo(Bytes.utf8("a"));
    assertThat(solo.log.entry(4)).isEqualTo(Entry.normal(1, 4, Bytes.EMPTY));
  }

  /// etcd raft: a leader checks what others forward, and puts an empty entry in the place of a change it refuses.
  @Test
  void nonsenseFromAFollowerHarmsNobody() {
    Solo solo = Solo.among(3).leadAndCommit();
    Entry nonsense = new Entry(EntryType.CONF_CHANGE, 0, 0, Bytes.wrap(new byte[] {-1}));
    solo.take(new Message.Propose(1, 2, List.of(nonsense)));
    assertThat(solo.log.entry(2)).isEqualTo(Entry.normal(1, 2, Bytes.EMPTY));
    assertThat(solo.node.step(new Message.Propose(1, 2, List.of()))).isEqualTo(StepResult.PROPOSAL_DROPPED);
  }

  /// Raft thesis §4.2.1: a new server joins as a learner: it receives the log and heartbeats, and counts for no
  /// majority.
  @Test
  void aLearnerReceivesButDoesNotCount() {
    Solo solo = Solo.with(List.of(1L, 2L), List.of(3L), c -> c).leadAndCommit();
    solo.propose("x");
    assertThat(solo.takeSent(Append.class)).extracting(Message::to).containsExactly(2L, 3L);
    solo.acknowledge(3, 2);
    assertThat(solo.node.committed()).isEqualTo(1);
  }

  /// Raft thesis §4.2.1: a new server joins as a learner: it receives the log and heartbeats, and counts for no
  /// majority.
  @Test
  void aLearnerHearsHeartbeatsLikeAnybody() {
    Solo solo = Solo.with(List.of(1L, 2L), List.of(3L), c -> c).leadAndCommit().tick(1);
    assertThat(solo.takeSent(Heartbeat.class)).extracting(Message::to).containsExactly(2L, 3L);
  }

  /// Raft thesis §4.2.1: a learner becomes a voter once it has caught up.
  @Test
  void aLearnerIsPromotedBySimplyAddingIt() {
    Solo solo = proposing(Solo.with(List.of(1L), List.of(2L), c -> c).leadAndCommit(), v1(Type.ADD_NODE, 2));
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(1L, 2L), List.of()));
  }

  /// Raft thesis §4.2.2: a removed leader does not count itself. Unlike the thesis's, etcd's goes on until another is
  /// elected.
  @Test
  void aRemovedLeaderGoesOnWithoutCountingItself() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.REMOVE_NODE, 1));
    solo.propose("uncommitted when removed").acknowledge(2, 2);
    assertThat(solo.node.isLeader()).isTrue();
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.PROPOSAL_DROPPED);
    solo.acknowledge(2, 3);
    assertThat(solo.node.committed()).as("needs both that remain").isEqualTo(2);
    solo.acknowledge(3, 3);
    assertThat(solo.node.committed()).isEqualTo(3);
  }

  /// Raft thesis §4.2.2: a leader that is no voter any more steps down when its change is in force (with
  /// `stepDownOnRemoval`; etcd's server runs without, and hands over first).
  @Test
  void aRemovedLeaderStepsDownIfToldTo() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withStepDownOnRemoval(true))).leadAndCommit();
    proposing(solo, v1(Type.REMOVE_NODE, 1)).acknowledge(2, 2);
    assertThat(solo.node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
    solo.node.campaign();
    assertThat(solo.node.term()).as("removed nodes do not campaign").isEqualTo(1);
  }

  /// Raft thesis §4.2.2: a leader that is no voter any more steps down when its change is in force (with
  /// `stepDownOnRemoval`; etcd's server runs without, and hands over first).
  @Test
  void aDemotedLeaderStepsDownIfToldTo() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withStepDownOnRemoval(true))).leadAndCommit();
    proposing(solo, v1(Type.ADD_LEARNER_NODE, 1)).acknowledge(2, 2);
    assertThat(solo.node.isLeader()).isFalse();
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(2L, 3L), List.of(1L)));
  }

  /// etcd raft: a smaller quorum commits at once what it already holds.
  @Test
  void aSmallerQuorumMayCommitWhatWaited() {
    Solo solo = proposing(Solo.among(2).leadAndCommit(), v1(Type.REMOVE_NODE, 2));
    solo.propose("x");
    assertThat(solo.node.committed()).isEqualTo(1);
    solo.acknowledge(2, 2);
    assertThat(solo.node.committed()).as("alone now").isEqualTo(3);
  }

  /// etcd raft: a transfer ends with the term, with another target, and when its target is no voter any more.
  @Test
  void aTransferToARemovedMemberIsGivenUp() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.REMOVE_NODE, 3));
    solo.node.transferLeader(3);
    solo.acknowledge(2, 2);
    assertThat(solo.node.status().leadTransferee()).isZero();
  }

  /// etcd raft: a change of node 0 changes nothing: the application refused it.
  @Test
  void nodeZeroChangesNothing() {
    Solo solo = Solo.among(3);
    assertThat(solo.node.applyConfChange(v1(Type.REMOVE_NODE, 0)).voters()).containsExactly(1L, 2L, 3L);
  }

  /// etcd raft: a configuration without voters stops the member.
  @Test
  void removingTheLastVoterIsOurBug() {
    assertThatThrownBy(() -> Solo.among(1).node.applyConfChange(v1(Type.REMOVE_NODE, 1)))
        .isInstanceOf(InvariantViolation.class)
        .hasMessageContaining("removed all voters");
  }

  /// Raft thesis §4.3: a joint configuration commits, elects, reads and keeps its leader by both majorities.
  @Test
  void aJointConfigurationNeedsBothMajorities() {
    Solo solo = Solo.among(3).leadAndCommit();
    proposing(
        solo,
        v2(
            Transition.JOINT_EXPLICIT,
            new Single(Type.REMOVE_NODE, 2),
            new Single(Type.REMOVE_NODE, 3),
            new Single(Type.ADD_NODE, 4),
            new Single(Type.ADD_NODE, 5)));
    solo.acknowledge(2, 2);
    assertThat(solo.node.confState())
        .isEqualTo(new ConfState(List.of(1L, 4L, 5L), List.of(), List.of(1L, 2L, 3L), List.of(), false));
    solo.propose("x").acknowledge(2, 3);
    assertThat(solo.node.committed()).as("the old majority alone").isEqualTo(2);
    solo.acknowledge(4, 3);
    assertThat(solo.node.committed()).as("both").isEqualTo(3);
  }

  /// Raft thesis §4.3: a joint configuration commits, elects, reads and keeps its leader by both majorities.
  @Test
  void anElectionInAJointConfigurationNeedsBothMajorities() {
    Solo solo = in(joint(false), c -> c);
    solo.node.campaign();
    assertThat(solo.settle().takeSent(Vote.class)).extracting(Message::to).containsExactly(2L, 3L, 4L, 5L);
    solo.take(new VoteResponse(1, 4, 2, false), new VoteResponse(1, 5, 2, false));
    assertThat(solo.node.state()).as("the new majority alone").isEqualTo(RaftState.CANDIDATE);
    solo.take(new VoteResponse(1, 3, 2, false));
    assertThat(solo.node.state()).as("both").isEqualTo(RaftState.LEADER);
  }

  /// Raft thesis §4.3: a joint configuration commits, elects, reads and keeps its leader by both majorities.
  @Test
  void aReadInAJointConfigurationNeedsBothMajorities() {
    Solo solo = leading(in(joint(false), c -> c));
    solo.node.readIndex(Bytes.utf8("a"));
    Bytes round = solo.settle().takeSent(Heartbeat.class).getFirst().context();
    solo.take(new HeartbeatResponse(1, 4, 2, round), new HeartbeatResponse(1, 5, 2, round));
    assertThat(solo.reads).isEmpty();
    solo.take(new HeartbeatResponse(1, 3, 2, round));
    assertThat(solo.reads).containsExactly(new ReadState(9, Bytes.utf8("a")));
  }

  /// Raft thesis §4.3: a joint configuration commits, elects, reads and keeps its leader by both majorities.
  @Test
  void aLeaderOfAJointConfigurationMustReachBothMajorities() {
    Solo solo = leading(in(joint(false), Solo.rules(r -> r.withCheckQuorum(true))));
    solo.tick(10);
    assertThat(solo.node.isLeader()).as("2 and 4 answered").isTrue();
    solo.take(new HeartbeatResponse(1, 4, 2, Bytes.EMPTY), new HeartbeatResponse(1, 5, 2, Bytes.EMPTY));
    assertThat(solo.tick(10).node.isLeader()).as("4 and 5 did").isFalse();
  }

  /// Raft paper §6: in a joint configuration, entries go to the servers of both.
  @Test
  void theLogGoesToTheMembersOfBothConfigurations() {
    Solo solo = leading(in(joint(false), c -> c)).acknowledge(3, 9).acknowledge(5, 9);
    solo.takeSent();
    solo.propose("x");
    assertThat(solo.takeSent(Append.class)).extracting(Message::to).containsExactly(2L, 3L, 4L, 5L);
  }

  /// Raft paper §6: in a joint configuration, a server of either may lead.
  @Test
  void aVoterOfTheOldConfigurationAloneMayStillLead() {
    ConfState leavingUs = new ConfState(List.of(2L, 4L), List.of(), List.of(1L, 2L, 3L), List.of(), false);
    assertThat(leading(in(leavingUs, c -> c)).node.committed()).isEqualTo(9);
  }

  /// etcd raft: an implicit joint configuration is left by whoever leads, once it is applied.
  @Test
  void aNewLeaderLeavesTheJointConfigurationItFound() {
    Solo solo = leading(in(joint(true), c -> c));
    assertThat(solo.log.entry(10)).isEqualTo(new Entry(EntryType.CONF_CHANGE_V2, 2, 10, Bytes.EMPTY));
  }

  /// Raft thesis §4.3: a joint configuration is entered from a simple one and left before the next change.
  @Test
  void anExplicitJointConfigurationIsLeftOnRequestOnly() {
    Solo solo = Solo.among(3).leadAndCommit();
    proposing(solo, LEAVE);
    assertThat(solo.log.entry(2).type()).as("nothing to leave").isEqualTo(EntryType.NORMAL);
    proposing(solo, v2(Transition.JOINT_EXPLICIT, new Single(Type.REMOVE_NODE, 3))).acknowledge(2, 3);
    assertThat(solo.node.confState().votersOutgoing()).hasSize(3);
    proposing(solo, v1(Type.ADD_NODE, 9));
    assertThat(solo.log.entry(4).type()).as("first leave").isEqualTo(EntryType.NORMAL);
    proposing(solo, LEAVE).acknowledge(2, 5);
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(1L, 2L), List.of()));
  }

  /// etcd raft: an implicit joint configuration is left by whoever leads, once it is applied.
  @Test
  void anImplicitJointConfigurationIsLeftByItself() {
    Solo solo = Solo.among(3).leadAndCommit();
    proposing(solo, v2(Transition.AUTO, new Single(Type.REMOVE_NODE, 3), new Single(Type.ADD_NODE, 4)));
    solo.acknowledge(2, 2);
    assertThat(solo.node.confState().autoLeave()).isTrue();
    assertThat(solo.log.entry(3)).isEqualTo(new Entry(EntryType.CONF_CHANGE_V2, 1, 3, Bytes.EMPTY));
    solo.acknowledge(2, 3).acknowledge(4, 3);
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(1L, 2L, 4L), List.of()));
  }

  /// etcd raft: a voter that becomes a learner stays a voter of the outgoing half until that is left.
  @Test
  void aVoterIsDemotedOnlyOnLeaving() {
    Solo solo = Solo.among(3).leadAndCommit();
    proposing(solo, v2(Transition.JOINT_EXPLICIT, new Single(Type.ADD_LEARNER_NODE, 3))).acknowledge(2, 2);
    assertThat(solo.node.confState().learnersNext()).containsExactly(3L);
    proposing(solo, LEAVE).acknowledge(2, 3);
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(1L, 2L), List.of(3L)));
  }

  /// etcd raft: members are visited in the order of their unsigned ids.
  @Test
  void membersAreVisitedByUnsignedId() {
    Solo solo = Solo.with(List.of(-2L, 1L, Long.MIN_VALUE, 7L), List.of(), c -> c);
    assertThat(solo.node.confState().voters()).containsExactly(1L, 7L, Long.MIN_VALUE, -2L);
    solo.node.campaign();
    assertThat(solo.settle().takeSent()).extracting(Message::to).containsExactly(7L, Long.MIN_VALUE, -2L);
  }

  /// etcd raft: a conf change that a snapshot overtook is not made again.
  @Test
  void aChangeOvertakenByASnapshotIsNotMadeAgain() {
    Solo solo = Solo.among(3);
    ConfState later = ConfState.of(List.of(1L, 2L, 5L), List.of());
    solo.take(new Message.InstallSnapshot(1, 2, 1, new Snapshot(Bytes.EMPTY, later, 10, 1)));
    assertThat(solo.node.applyConfChange(9, v1(Type.REMOVE_NODE, 5))).isEqualTo(later);
    assertThat(solo.node.applyConfChange(11, v1(Type.REMOVE_NODE, 5)).voters()).containsExactly(1L, 2L);
  }

  /// etcd raft: a new member counts as heard from until it had time to answer.
  @Test
  void aNewMemberCountsAsActiveAtFirst() {
    Solo solo = Solo.among(1, Solo.rules(r -> r.withCheckQuorum(true))).leadAndCommit();
    solo.tick(9);
    proposing(solo, v1(Type.ADD_NODE, 2));
    solo.tick(1);
    assertThat(solo.node.isLeader()).isTrue();
    solo.tick(10);
    assertThat(solo.node.isLeader()).isFalse();
  }

  /// Raft thesis §4.4: founders start from the same first entries.
  @Test
  void foundersStartFromTheSameEntries() {
    MemoryLog log = new MemoryLog();
    RawNode node = new RawNode(RaftConfig.of(1, 10, 1, log, new SplittableRandom(1)));
    node.bootstrap(List.of(new Peer(1, Bytes.utf8("one")), new Peer(2, Bytes.utf8("two"))));
    Ready ready = node.ready();
    assertThat(ready.hardState()).isEqualTo(new HardState(1, 0, 2));
    assertThat(ready.entries()).isEqualTo(ready.committedEntries()).hasSize(2);
    assertThat(ConfChangeCodec.decode(ready.entries().get(1)))
        .isEqualTo(new ConfChange.V1(0, Type.ADD_NODE, 2, Bytes.utf8("two")));
    log.append(ready.entries());
    log.setHardState(ready.hardState());
    ready.entries().forEach(e -> node.applyConfChange(e.index(), ConfChangeCodec.decode(e)));
    node.advance();
    assertThat(node.confState().voters()).containsExactly(1L, 2L);
    assertThatThrownBy(() -> node.bootstrap(List.of(new Peer(1, Bytes.EMPTY))))
        .isInstanceOf(IllegalStateException.class);
  }

  /// etcd raft: responses of strangers, and messages that never cross a network, are refused.
  @Test
  void responsesOfStrangersAreRefused() {
    Solo solo = Solo.among(3).leadAndCommit();
    assertThat(solo.node.step(new Message.AppendResponse(1, 9, 1, 1, false, 0, 0)))
        .isEqualTo(StepResult.PEER_NOT_FOUND);
    assertThat(solo.node.step(new Message.Hup(1, 2))).isEqualTo(StepResult.LOCAL_MESSAGE);
    assertThat(solo.node.step(new Heartbeat(1, 9, 2, 0, Bytes.EMPTY))).isEqualTo(StepResult.OK);
  }
}
