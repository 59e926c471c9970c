package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.Message.ReadIndex;
import dev.kvorum.raft.Message.ReadIndexResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Raft thesis §6.4: linearizable reads without writing to the log.
class ReadRulesTest {
  private static final Bytes A = Bytes.utf8("a");
  private static final Bytes B = Bytes.utf8("b");
  private static final Bytes C = Bytes.utf8("c");

  private static Bytes round(int number) {
    return Bytes.wrap(new byte[] {(byte) number, 0, 0, 0, 0, 0, 0, 0});
  }

  /// Raft thesis §6.4: a read is answered at the commit index of when it came, after a majority has confirmed the
  /// leader.
  @Test
  void aReadWaitsForAQuorumOfHeartbeats() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.readIndex(A);
    solo.settle();
    assertThat(solo.reads).isEmpty();
    assertThat(solo.takeSent())
        .containsExactly(new Heartbeat(2, 1, 1, 1, round(1)), new Heartbeat(3, 1, 1, 1, round(1)));
    solo.take(new HeartbeatResponse(1, 3, 1, round(1)));
    assertThat(solo.reads).containsExactly(new ReadState(1, A));
  }

  /// Raft thesis §6.4: a read is answered at the commit index of when it came, after a majority has confirmed the
  /// leader.
  @Test
  void aMinorityConfirmsNoRead() {
    Solo solo = Solo.among(5).leadAndCommit();
    solo.node.readIndex(A);
    solo.take(new HeartbeatResponse(1, 2, 1, round(1)), new HeartbeatResponse(1, 2, 1, round(1)));
    assertThat(solo.reads).isEmpty();
    solo.take(new HeartbeatResponse(1, 5, 1, round(1)));
    assertThat(solo.reads).containsExactly(new ReadState(1, A));
  }

  /// Raft thesis §6.4: one round confirms all reads that were waiting when it began, and no later one.
  @Test
  void oneAcknowledgementConfirmsAllEarlierReads() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.readIndex(A);
    solo.propose("x").acknowledge(2, 2);
    solo.node.readIndex(B);
    solo.node.readIndex(C);
    solo.take(new HeartbeatResponse(1, 2, 1, round(2)));
    assertThat(solo.reads).containsExactly(new ReadState(1, A), new ReadState(2, B));
    solo.take(new HeartbeatResponse(1, 2, 1, round(3)));
    assertThat(solo.reads).hasSize(3);
  }

  /// Raft thesis §6.4: one round confirms all reads that were waiting when it began, and no later one.
  @Test
  void anAcknowledgementOfAnEarlierRoundConfirmsNoLaterRead() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.readIndex(A);
    solo.take(new HeartbeatResponse(1, 2, 1, round(1)));
    solo.node.readIndex(B);
    solo.take(new HeartbeatResponse(1, 3, 1, round(1)), new HeartbeatResponse(1, 2, 1, Bytes.EMPTY));
    assertThat(solo.reads).containsExactly(new ReadState(1, A));
  }

  /// etcd raft: every heartbeat carries the open round; contexts are echoed byte for byte, and those that are no round
  /// of ours ignored.
  @Test
  void ordinaryHeartbeatsCarryTheOpenRoundToo() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.readIndex(A);
    solo.settle().takeSent();
    solo.tick(1);
    assertThat(solo.takeSent(Heartbeat.class)).extracting(Heartbeat::context).containsOnly(round(1));
    solo.take(new HeartbeatResponse(1, 2, 1, round(1))).takeSent();
    solo.tick(1);
    assertThat(solo.takeSent(Heartbeat.class)).extracting(Heartbeat::context).containsOnly(Bytes.EMPTY);
  }

  /// etcd raft: every heartbeat carries the open round; contexts are echoed byte for byte, and those that are no round
  /// of ours ignored.
  @Test
  void aContextThatIsNoRoundOfOursIsIgnored() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.readIndex(A);
    solo.take(
        new HeartbeatResponse(1, 2, 1, Bytes.utf8("short")),
        new HeartbeatResponse(1, 2, 1, round(99)),
        new HeartbeatResponse(1, 2, 1, Bytes.wrap(new byte[] {1, 0, 0, 0, 0, 0, 0, -1})));
    assertThat(solo.reads).isEmpty();
  }

  /// Raft thesis §6.4: a read waits until the leader has committed in its term.
  @Test
  void aNewLeaderFirstCommitsInItsOwnTerm() {
    Solo solo = Solo.withLog(1, 1).lead();
    solo.takeSent();
    solo.node.readIndex(A);
    assertThat(solo.settle().takeSent()).isEmpty();
    solo.acknowledge(2, 2);
    assertThat(solo.takeSent(Heartbeat.class)).hasSize(2);
    solo.take(new HeartbeatResponse(1, 2, 2, round(1)));
    assertThat(solo.reads).containsExactly(new ReadState(2, A));
  }

  /// etcd raft: a lone voter needs no round, but an entry of its term (etcd's answers without; ours does not, see K-22
  /// in the ledger). The commit index is not synced: after a crash it may be behind what was answered before.
  @Test
  void soDoesALoneVoter() {
    Solo solo = Solo.among(1);
    solo.node.campaign();
    while (!solo.node.isLeader()) {
      Ready ready = solo.node.ready();
      solo.log.setHardState(ready.hardState());
      solo.node.advance();
    }
    solo.node.readIndex(A);
    Ready unsaved = solo.node.ready();
    assertThat(unsaved.readStates()).isEmpty();
    solo.log.append(unsaved.entries());
    solo.node.advance();
    assertThat(solo.node.ready().readStates()).containsExactly(new ReadState(1, A));
  }

  /// etcd raft: a lone voter needs no round, but an entry of its term (etcd's answers without; ours does not, see K-22
  /// in the ledger).
  @Test
  void aLoneVoterNeedsNoRound() {
    Solo solo = Solo.among(1).leadAndCommit();
    solo.node.readIndex(A);
    assertThat(solo.settle().reads).containsExactly(new ReadState(1, A));
  }

  /// etcd raft: a leader that was removed asks the voter that is left.
  @Test
  void aRemovedLeaderOfOneOtherVoterAsksIt() {
    Solo solo = Solo.among(2).leadAndCommit();
    solo.node.proposeConfChange(new ConfChange.V1(0, ConfChange.Type.REMOVE_NODE, 1, Bytes.EMPTY));
    solo.settle().acknowledge(2, 2);
    assertThat(solo.node.confState().voters()).containsExactly(2L);
    solo.node.readIndex(A);
    assertThat(solo.settle().reads).isEmpty();
    solo.take(new HeartbeatResponse(1, 2, 1, round(1)));
    assertThat(solo.reads).containsExactly(new ReadState(2, A));
  }

  /// etcd raft: a learner's vote, heartbeat or answer counts for no quorum.
  @Test
  void learnersConfirmNothing() {
    Solo solo = Solo.with(List.of(1L, 2L), List.of(3L), c -> c).leadAndCommit();
    solo.node.readIndex(A);
    solo.take(new HeartbeatResponse(1, 3, 1, round(1)));
    assertThat(solo.reads).isEmpty();
  }

  /// Raft thesis §6.4: a follower asks its leader for the index of a read.
  @Test
  void aFollowerAsksItsLeaderAndHandsTheAnswerOn() {
    Solo solo = Solo.among(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.takeSent();
    solo.node.readIndex(A);
    assertThat(solo.settle().takeSent()).containsExactly(new ReadIndex(2, 1, A));
    solo.take(new ReadIndexResponse(1, 2, 1, 9, A));
    assertThat(solo.reads).containsExactly(new ReadState(9, A));
  }

  /// Raft thesis §6.4: a follower asks its leader for the index of a read.
  @Test
  void aLeaderAnswersTheFollowerThatAsked() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.take(new ReadIndex(1, 3, A), new HeartbeatResponse(1, 2, 1, round(1)));
    assertThat(solo.takeSent(ReadIndexResponse.class)).containsExactly(new ReadIndexResponse(3, 1, 1, 1, A));
  }

  /// etcd raft: without a leader a read is dropped, and asked again.
  @Test
  void withoutALeaderAReadIsDropped() {
    Solo solo = Solo.among(3);
    assertThat(solo.node.readIndex(A)).isEqualTo(StepResult.OK);
    assertThat(solo.settle().takeSent()).isEmpty();
  }

  /// etcd raft: open reads end with leadership.
  @Test
  void openReadsEndWithLeadership() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.readIndex(A);
    solo.take(new Heartbeat(1, 2, 2, 0, Bytes.EMPTY)).lead();
    solo.acknowledge(2, 2);
    solo.node.readIndex(B);
    solo.take(new HeartbeatResponse(1, 2, 3, round(1)));
    assertThat(solo.reads).as("the new leader's first round").containsExactly(new ReadState(2, B));
  }

  /// etcd raft: open reads end with leadership.
  @Test
  void soDoReadsThatWaitForTheFirstCommit() {
    Solo solo = Solo.withLog(1, 1).lead();
    solo.node.readIndex(A);
    solo.take(new Heartbeat(1, 2, 3, 0, Bytes.EMPTY)).lead();
    solo.takeSent();
    solo.acknowledge(2, solo.node.lastIndex());
    assertThat(solo.node.committed()).isEqualTo(3);
    assertThat(solo.takeSent(Heartbeat.class)).as("no round is opened").isEmpty();
  }

  /// Raft thesis §6.4.1: a lease may stand in for the round of heartbeats; it needs CheckQuorum.
  @Test
  void aLeaseAnswersWithoutARound() {
    Solo solo =
        Solo.among(
                3,
                Solo.rules(r -> r.withCheckQuorum(true).withReadOnlyOption(ReadOnlyOption.LEASE_BASED)))
            .leadAndCommit();
    solo.node.readIndex(A);
    assertThat(solo.settle().reads).containsExactly(new ReadState(1, A));
    assertThat(solo.takeSent()).isEmpty();
  }
}
