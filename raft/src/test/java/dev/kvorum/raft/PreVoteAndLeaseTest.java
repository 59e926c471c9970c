package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.Message.PreVote;
import dev.kvorum.raft.Message.PreVoteResponse;
import dev.kvorum.raft.Message.Vote;
import dev.kvorum.raft.Message.VoteResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Raft thesis §9.6 (pre-vote), §4.2.3 (disruptive servers) and §6.2 (a leader that reaches no quorum).
class PreVoteAndLeaseTest {
  private static Solo preVoting(int voters) {
    return Solo.among(voters, Solo.rules(r -> r.withPreVote(true)));
  }

  private static Solo checking(int voters) {
    return Solo.among(voters, Solo.rules(r -> r.withCheckQuorum(true)));
  }

  // §9.6: "a candidate only increments its term if it first learns from a majority of the cluster that they would be
  // willing to grant the candidate their votes"
  @Test
  void aRehearsalChangesNeitherTermNorVote() {
    Solo solo = preVoting(3).tick(20);
    assertThat(solo.node.state()).isEqualTo(RaftState.PRE_CANDIDATE);
    assertThat(solo.log.hardState()).isEqualTo(HardState.EMPTY);
    assertThat(solo.takeSent())
        .containsExactly(
            new PreVote(2, 1, 1, 0, 0, Bytes.EMPTY), new PreVote(3, 1, 1, 0, 0, Bytes.EMPTY));
  }

  @Test
  void aWonRehearsalBecomesAnElection() {
    Solo solo = preVoting(3).tick(20);
    solo.takeSent();
    solo.take(new PreVoteResponse(1, 2, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    assertThat(solo.node.term()).isEqualTo(1);
    assertThat(solo.takeSent())
        .containsExactly(new Vote(2, 1, 1, 0, 0, Bytes.EMPTY), new Vote(3, 1, 1, 0, 0, Bytes.EMPTY));
  }

  @Test
  void aLostRehearsalLeavesEverythingAsItWas() {
    Solo solo = preVoting(3).tick(20);
    solo.take(new PreVoteResponse(1, 2, 0, true), new PreVoteResponse(1, 3, 0, true));
    assertThat(solo.node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
    assertThat(solo.node.term()).isZero();
  }

  @Test
  void aRefusalFromALaterTermIsHeeded() {
    Solo solo = preVoting(3).tick(20);
    solo.take(new PreVoteResponse(1, 2, 5, true));
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
    assertThat(solo.node.term()).isEqualTo(5);
  }

  @Test
  void grantingARehearsalPromisesNothing() {
    Solo solo = preVoting(3);
    solo.take(new PreVote(1, 2, 1, 0, 0, Bytes.EMPTY), new PreVote(1, 3, 1, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent())
        .containsExactly(new PreVoteResponse(2, 1, 1, false), new PreVoteResponse(3, 1, 1, false));
    assertThat(solo.log.hardState()).isEqualTo(HardState.EMPTY);
  }

  @Test
  void aRehearsalWithALesserLogIsRefused() {
    Solo solo = Solo.withLog(2, 1, 2);
    solo.take(new PreVote(1, 3, 3, 1, 5, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new PreVoteResponse(3, 1, 2, true));
  }

  @Test
  void aRehearsalForAnOldTermIsAnsweredWithOurs() {
    Solo solo = Solo.withLog(8);
    solo.take(new PreVote(1, 3, 4, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new PreVoteResponse(3, 1, 8, true));
  }

  // A member that fell behind in term must hear of it, or it could neither follow nor be elected.
  @Test
  void aStaleLeaderIsToldTheTerm() {
    Solo solo = preVoting(3).take(new Append(1, 2, 7, 0, 0, List.of(), 0));
    solo.takeSent();
    solo.take(new Append(1, 3, 6, 0, 0, List.of(), 0), new Heartbeat(1, 3, 6, 0, Bytes.EMPTY));
    assertThat(solo.takeSent())
        .containsExactly(
            new AppendResponse(3, 1, 7, 0, false, 0, 0), new AppendResponse(3, 1, 7, 0, false, 0, 0));
  }

  // §4.2.3: "if a server receives a RequestVote request within the minimum election timeout of hearing from a current
  // leader, it does not update its term or grant its vote"
  @Test
  void aFollowerWithALeaderIgnoresCandidates() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY)).tick(9);
    solo.takeSent();
    solo.take(new Vote(1, 3, 5, 9, 9, Bytes.EMPTY), new PreVote(1, 3, 5, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).isEmpty();
    assertThat(solo.node.term()).isEqualTo(1);
  }

  @Test
  void aLeaseRunsOut() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    Backdoor.forceElectionTimeout(solo.node, 19);
    solo.tick(10).takeSent();
    solo.take(new Vote(1, 3, 5, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(3, 1, 5, false));
  }

  // §4.2.3: "a special flag … to indicate that the leader has given it permission to disrupt"
  @Test
  void aTransferOverridesTheLease() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.takeSent();
    solo.take(new Vote(1, 3, 2, 0, 0, Bytes.utf8("CampaignTransfer")));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(3, 1, 2, false));
  }

  @Test
  void aForgottenLeaderHasNoLease() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.node.forgetLeader();
    solo.takeSent();
    solo.take(new PreVote(1, 3, 2, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new PreVoteResponse(3, 1, 2, false));
    assertThat(solo.node.term()).isEqualTo(1);
  }

  // §6.2: "a leader in Raft steps down if an election timeout elapses without a successful round of heartbeats to a
  // majority of its cluster"
  @Test
  void aLeaderThatReachesNoQuorumStepsDown() {
    Solo solo = checking(3).leadAndCommit();
    solo.tick(10);
    assertThat(solo.node.isLeader()).as("heard from all in its first interval").isTrue();
    solo.tick(10);
    assertThat(solo.node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
    assertThat(solo.node.term()).isEqualTo(1);
  }

  @Test
  void aLeaderThatReachesAQuorumStays() {
    Solo solo = checking(3).leadAndCommit();
    for (int i = 0; i < 20; i++) {
      solo.tick(5).take(new HeartbeatResponse(1, 3, 1, Bytes.EMPTY));
    }
    assertThat(solo.node.isLeader()).isTrue();
  }

  @Test
  void learnersDoNotCountForTheQuorum() {
    Solo solo =
        Solo.with(List.of(1L, 2L, 3L), List.of(4L, 5L), Solo.rules(r -> r.withCheckQuorum(true))).leadAndCommit();
    for (int i = 0; i < 5; i++) {
      solo.tick(5)
          .take(new HeartbeatResponse(1, 4, 1, Bytes.EMPTY), new HeartbeatResponse(1, 5, 1, Bytes.EMPTY));
    }
    assertThat(solo.node.isLeader()).isFalse();
  }

  @Test
  void aLoneVoterIsItsOwnQuorum() {
    assertThat(checking(1).leadAndCommit().tick(100).node.isLeader()).isTrue();
  }
}
