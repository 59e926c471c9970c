package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.ConfChange.Single;
import dev.kvorum.raft.ConfChange.Transition;
import dev.kvorum.raft.ConfChange.Type;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.Heartbeat;
import java.util.List;
import java.util.SplittableRandom;
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

  @Test
  void aChangeIsInForceWhenItsEntryIsApplied() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4));
    assertThat(solo.node.confState().voters()).containsExactly(1L, 2L, 3L);
    solo.acknowledge(2, 2);
    assertThat(solo.node.confState().voters()).containsExactly(1L, 2L, 3L, 4L);
    assertThat(solo.log.entry(2).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  @Test
  void theNextCommitNeedsTheNewQuorum() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4)).acknowledge(2, 2);
    solo.propose("x").acknowledge(2, 3);
    assertThat(solo.node.committed()).isEqualTo(2);
    solo.acknowledge(3, 3);
    assertThat(solo.node.committed()).isEqualTo(3);
  }

  // §4.1: "only one server can be added or removed from the cluster at a time"
  @Test
  void aSecondChangeWaitsUntilTheFirstIsApplied() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4));
    proposing(solo, v1(Type.ADD_NODE, 5));
    assertThat(solo.log.entry(3)).as("its place is taken by nothing").isEqualTo(Entry.normal(1, 3, Bytes.EMPTY));
    solo.acknowledge(2, 3);
    proposing(solo, v1(Type.ADD_NODE, 5));
    assertThat(solo.log.entry(4).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  @Test
  void aNewLeaderChangesNothingBeforeItHasAppliedWhatItFound() {
    Solo solo = Solo.withLog(1, 1, 1).lead();
    proposing(solo, v1(Type.ADD_NODE, 4));
    assertThat(solo.log.entry(4).type()).isEqualTo(EntryType.NORMAL);
    solo.acknowledge(2, 4);
    proposing(solo, v1(Type.ADD_NODE, 4));
    assertThat(solo.log.entry(5).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  @Test
  void validationCanBeLeftToTheProposer() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withDisableConfChangeValidation(true))).leadAndCommit();
    proposing(proposing(solo, v1(Type.ADD_NODE, 4)), v1(Type.ADD_NODE, 5));
    assertThat(solo.log.entry(3).type()).isEqualTo(EntryType.CONF_CHANGE);
  }

  @Test
  void aForwardedChangeIsCheckedByTheLeader() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.ADD_NODE, 4));
    Entry change = new Entry(EntryType.CONF_CHANGE, 0, 0, ConfChangeCodec.encode(v1(Type.REMOVE_NODE, 3)));
    solo.take(new Message.Propose(1, 2, List.of(Entry.normal(0, 0, Bytes.utf8("a")), change)));
    assertThat(solo.log.entry(3).data()).isEqualTo(Bytes.utf8("a"));
    assertThat(solo.log.entry(4)).isEqualTo(Entry.normal(1, 4, Bytes.EMPTY));
  }

  @Test
  void nonsenseFromAFollowerHarmsNobody() {
    Solo solo = Solo.among(3).leadAndCommit();
    Entry nonsense = new Entry(EntryType.CONF_CHANGE, 0, 0, Bytes.wrap(new byte[] {-1}));
    solo.take(new Message.Propose(1, 2, List.of(nonsense)));
    assertThat(solo.log.entry(2)).isEqualTo(Entry.normal(1, 2, Bytes.EMPTY));
    assertThat(solo.node.step(new Message.Propose(1, 2, List.of()))).isEqualTo(StepResult.PROPOSAL_DROPPED);
  }

  // §4.2.1: "new servers join the cluster as a non-voting member: the leader replicates log entries to it, but it is
  // not yet counted towards majorities"
  @Test
  void aLearnerReceivesButDoesNotCount() {
    Solo solo = Solo.with(List.of(1L, 2L), List.of(3L), c -> c).leadAndCommit();
    solo.propose("x");
    assertThat(solo.takeSent(Append.class)).extracting(Message::to).containsExactly(2L, 3L);
    solo.acknowledge(3, 2);
    assertThat(solo.node.committed()).isEqualTo(1);
  }

  @Test
  void aLearnerIsPromotedBySimplyAddingIt() {
    Solo solo = proposing(Solo.with(List.of(1L), List.of(2L), c -> c).leadAndCommit(), v1(Type.ADD_NODE, 2));
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(1L, 2L), List.of()));
  }

  // §4.2.2: "a leader that is removed from the configuration steps down once the Cnew entry is committed"; etcd's goes
  // on without counting itself until another is elected.
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

  @Test
  void aRemovedLeaderStepsDownIfToldTo() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withStepDownOnRemoval(true))).leadAndCommit();
    proposing(solo, v1(Type.REMOVE_NODE, 1)).acknowledge(2, 2);
    assertThat(solo.node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
    solo.node.campaign();
    assertThat(solo.node.term()).as("removed nodes do not campaign").isEqualTo(1);
  }

  @Test
  void aDemotedLeaderStepsDownIfToldTo() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withStepDownOnRemoval(true))).leadAndCommit();
    proposing(solo, v1(Type.ADD_LEARNER_NODE, 1)).acknowledge(2, 2);
    assertThat(solo.node.isLeader()).isFalse();
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(2L, 3L), List.of(1L)));
  }

  @Test
  void aSmallerQuorumMayCommitWhatWaited() {
    Solo solo = proposing(Solo.among(2).leadAndCommit(), v1(Type.REMOVE_NODE, 2));
    solo.propose("x");
    assertThat(solo.node.committed()).isEqualTo(1);
    solo.acknowledge(2, 2);
    assertThat(solo.node.committed()).as("alone now").isEqualTo(3);
  }

  @Test
  void aTransferToARemovedMemberIsGivenUp() {
    Solo solo = proposing(Solo.among(3).leadAndCommit(), v1(Type.REMOVE_NODE, 3));
    solo.node.transferLeader(3);
    solo.acknowledge(2, 2);
    assertThat(solo.node.status().leadTransferee()).isZero();
  }

  @Test
  void nodeZeroChangesNothing() {
    Solo solo = Solo.among(3);
    assertThat(solo.node.applyConfChange(v1(Type.REMOVE_NODE, 0)).voters()).containsExactly(1L, 2L, 3L);
  }

  @Test
  void removingTheLastVoterIsOurBug() {
    assertThatThrownBy(() -> Solo.among(1).node.applyConfChange(v1(Type.REMOVE_NODE, 1)))
        .isInstanceOf(InvariantViolation.class)
        .hasMessageContaining("removed all voters");
  }

  // §4.3: "Agreement (for elections and entry commitment) requires majorities from both the old and new
  // configurations."
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

  @Test
  void aVoterIsDemotedOnlyOnLeaving() {
    Solo solo = Solo.among(3).leadAndCommit();
    proposing(solo, v2(Transition.JOINT_EXPLICIT, new Single(Type.ADD_LEARNER_NODE, 3))).acknowledge(2, 2);
    assertThat(solo.node.confState().learnersNext()).containsExactly(3L);
    proposing(solo, LEAVE).acknowledge(2, 3);
    assertThat(solo.node.confState()).isEqualTo(ConfState.of(List.of(1L, 2L), List.of(3L)));
  }

  @Test
  void membersAreVisitedByUnsignedId() {
    Solo solo = Solo.with(List.of(-2L, 1L, Long.MIN_VALUE, 7L), List.of(), c -> c);
    assertThat(solo.node.confState().voters()).containsExactly(1L, 7L, Long.MIN_VALUE, -2L);
    solo.node.campaign();
    assertThat(solo.settle().takeSent()).extracting(Message::to).containsExactly(7L, Long.MIN_VALUE, -2L);
  }

  @Test
  void aChangeOvertakenByASnapshotIsNotMadeAgain() {
    Solo solo = Solo.among(3);
    ConfState later = ConfState.of(List.of(1L, 2L, 5L), List.of());
    solo.take(new Message.InstallSnapshot(1, 2, 1, new Snapshot(Bytes.EMPTY, later, 10, 1)));
    assertThat(solo.node.applyConfChange(9, v1(Type.REMOVE_NODE, 5))).isEqualTo(later);
    assertThat(solo.node.applyConfChange(11, v1(Type.REMOVE_NODE, 5)).voters()).containsExactly(1L, 2L);
  }

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

  @Test
  void responsesOfStrangersAreRefused() {
    Solo solo = Solo.among(3).leadAndCommit();
    assertThat(solo.node.step(new Message.AppendResponse(1, 9, 1, 1, false, 0, 0)))
        .isEqualTo(StepResult.PEER_NOT_FOUND);
    assertThat(solo.node.step(new Message.Hup(1, 2))).isEqualTo(StepResult.LOCAL_MESSAGE);
    assertThat(solo.node.step(new Heartbeat(1, 9, 2, 0, Bytes.EMPTY))).isEqualTo(StepResult.OK);
  }
}
