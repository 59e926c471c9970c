package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.TimeoutNow;
import dev.kvorum.raft.Message.TransferLeader;
import dev.kvorum.raft.Message.Vote;
import java.util.List;
import org.junit.jupiter.api.Test;

  /// Raft thesis §3.10.
class TransferRulesTest {
  @Test
  void aTargetThatIsUpToDateIsToldAtOnce() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.transferLeader(2);
    assertThat(solo.settle().takeSent()).containsExactly(new TimeoutNow(2, 1, 1));
    assertThat(solo.node.status().leadTransferee()).isEqualTo(2);
  }

  /// Raft thesis §3.10: the target is brought up to the leader's log first, then told to campaign.
  @Test
  void aTargetThatLagsIsBroughtUpFirst() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.propose("x");
    solo.node.transferLeader(2);
    assertThat(solo.settle().takeSent(TimeoutNow.class)).isEmpty();
    solo.acknowledge(2, 2);
    assertThat(solo.takeSent(TimeoutNow.class)).containsExactly(new TimeoutNow(2, 1, 1));
  }

  /// Raft thesis §3.10: the leader takes no proposals meanwhile.
  @Test
  void proposalsAreRefusedMeanwhile() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.transferLeader(2);
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.PROPOSAL_DROPPED);
    assertThat(solo.node.lastIndex()).isEqualTo(1);
  }

  /// Raft thesis §3.10: a transfer that takes longer than an election timeout is given up.
  @Test
  void aTransferThatTakesTooLongIsGivenUp() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.tick(5).node.transferLeader(2);
    solo.tick(9);
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.PROPOSAL_DROPPED);
    solo.tick(1);
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.OK);
  }

  /// etcd raft: a transfer ends with the term, with another target, and when its target is no voter any more.
  @Test
  void aTransferEndsWithTheTerm() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.transferLeader(2);
    solo.take(new Heartbeat(1, 2, 2, 1, Bytes.EMPTY)).lead();
    assertThat(solo.node.status().leadTransferee()).isZero();
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.OK);
  }

  /// etcd raft: a transfer ends with the term, with another target, and when its target is no voter any more.
  @Test
  void aSecondTargetReplacesTheFirst() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.node.transferLeader(2);
    solo.node.transferLeader(2);
    solo.node.transferLeader(3);
    assertThat(solo.settle().takeSent()).containsExactly(new TimeoutNow(2, 1, 1), new TimeoutNow(3, 1, 1));
    assertThat(solo.node.status().leadTransferee()).isEqualTo(3);
  }

  /// etcd raft: nothing is handed to oneself, to learners or to strangers.
  @Test
  void nothingIsTransferredToOneselfToLearnersOrToStrangers() {
    Solo solo = Solo.with(List.of(1L, 2L), List.of(3L), c -> c).leadAndCommit();
    for (long target : new long[] {1, 3, 9}) {
      solo.node.transferLeader(target);
    }
    assertThat(solo.settle().takeSent()).isEmpty();
    assertThat(solo.node.status().leadTransferee()).isZero();
  }

  /// etcd raft: a follower forwards the wish to its leader.
  @Test
  void aFollowerForwardsTheRequest() {
    Solo solo = Solo.among(3).take(new Heartbeat(1, 2, 4, 0, Bytes.EMPTY));
    solo.takeSent();
    solo.node.transferLeader(3);
    assertThat(solo.settle().takeSent()).containsExactly(new TransferLeader(2, 3, 4));
  }

  /// Raft thesis §3.10: the target campaigns at once, without pre-vote and against leases.
  @Test
  void theTargetCampaignsWithoutRehearsal() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withPreVote(true).withCheckQuorum(true)));
    solo.take(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1), 1));
    solo.takeSent();
    solo.take(new TimeoutNow(1, 2, 1));
    Bytes transfer = Bytes.utf8("CampaignTransfer");
    assertThat(solo.takeSent())
        .containsExactly(new Vote(2, 1, 2, 1, 1, transfer), new Vote(3, 1, 2, 1, 1, transfer));
  }

  /// etcd raft: a learner does not campaign, not even when told to.
  @Test
  void aLearnerToldToCampaignDoesNot() {
    Solo solo = Solo.with(List.of(2L, 3L), List.of(1L), c -> c);
    solo.take(new Append(1, 2, 1, 0, 0, List.of(), 0), new TimeoutNow(1, 2, 1));
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
  }

  /// etcd raft: a candidate told to campaign goes on as it is.
  @Test
  void aCandidateToldToCampaignGoesOnAsItIs() {
    Solo solo = Solo.among(3);
    solo.node.campaign();
    solo.settle().take(new TimeoutNow(1, 2, 1));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    assertThat(solo.node.term()).isEqualTo(1);
  }
}
