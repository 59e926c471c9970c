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

  /// Raft thesis §9.6: a candidate raises its term only once a majority would vote for it.
  @Test
  void aRehearsalChangesNeitherTermNorVote() {
    Solo solo = preVoting(3).tick(20);
    assertThat(solo.node.state()).isEqualTo(RaftState.PRE_CANDIDATE);
    assertThat(solo.log.hardState()).isEqualTo(HardState.EMPTY);
    assertThat(solo.takeSent())
        .containsExactly(
            new PreVote(2, 1, 1, 0, 0, Bytes.EMPTY), new PreVote(3, 1, 1, 0, 0, Bytes.EMPTY));
  }

  /// Raft thesis §9.6: a candidate raises its term only once a majority would vote for it.
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

  /// Raft thesis §9.6: a candidate raises its term only once a majority would vote for it.
  @Test
  void aLostRehearsalLeavesEverythingAsItWas() {
    Solo solo = preVoting(3).tick(20);
    solo.take(new PreVoteResponse(1, 2, 0, true), new PreVoteResponse(1, 3, 0, true));
    assertThat(solo.node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
    assertThat(solo.node.term()).isZero();
  }

  /// etcd raft: a pre-vote for an earlier term is refused in the present one, and that term is adopted by who asked.
  @Test
  void aRefusalFromALaterTermIsHeeded() {
    Solo solo = preVoting(3).tick(20);
    solo.take(new PreVoteResponse(1, 2, 5, true));
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
    assertThat(solo.node.term()).isEqualTo(5);
  }

  /// Raft thesis §9.6: a pre-candidate that hears from the leader follows it.
  @Test
  void aPreCandidateYieldsToALeader() {
    Solo solo = preVoting(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY)).tick(20);
    assertThat(solo.node.softState()).isEqualTo(new SoftState(0, RaftState.PRE_CANDIDATE));
    solo.take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    assertThat(solo.node.softState()).isEqualTo(new SoftState(2, RaftState.FOLLOWER));
  }

  /// Raft thesis §9.6: pre-votes granted are no votes.
  @Test
  void answersToTheRehearsalElectNobody() {
    Solo solo = preVoting(5).tick(20);
    solo.take(new PreVoteResponse(1, 2, 1, false), new PreVoteResponse(1, 3, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    solo.take(new PreVoteResponse(1, 4, 1, false), new PreVoteResponse(1, 5, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    solo.take(new VoteResponse(1, 4, 1, false), new VoteResponse(1, 5, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.LEADER);
  }

  /// Raft thesis §9.6: granting a pre-vote promises nothing.
  @Test
  void grantingARehearsalPromisesNothing() {
    Solo solo = preVoting(3);
    solo.take(new PreVote(1, 2, 1, 0, 0, Bytes.EMPTY), new PreVote(1, 3, 1, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent())
        .containsExactly(new PreVoteResponse(2, 1, 1, false), new PreVoteResponse(3, 1, 1, false));
    assertThat(solo.log.hardState()).isEqualTo(HardState.EMPTY);
  }

  /// Raft thesis §9.6: a pre-vote is refused to a log less up-to-date, as a vote is.
  @Test
  void aRehearsalWithALesserLogIsRefused() {
    Solo solo = Solo.withLog(2, 1, 2);
    solo.take(new PreVote(1, 3, 3, 1, 5, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new PreVoteResponse(3, 1, 2, true));
  }

  /// etcd raft: a pre-vote for an earlier term is refused in the present one, and that term is adopted by who asked.
  @Test
  void aRehearsalForAnOldTermIsAnsweredWithOurs() {
    Solo solo = Solo.withLog(8);
    solo.take(new PreVote(1, 3, 4, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new PreVoteResponse(3, 1, 8, true));
  }

  /// etcd raft: with CheckQuorum or PreVote, a leader of an earlier term is told the present one. A member that fell
  /// behind in term must hear of it, or it could neither follow nor be elected.
  @Test
  void aStaleLeaderIsToldTheTerm() {
    Solo solo = preVoting(3).take(new Append(1, 2, 7, 0, 0, List.of(), 0));
    solo.takeSent();
    solo.take(new Append(1, 3, 6, 0, 0, List.of(), 0), new Heartbeat(1, 3, 6, 0, Bytes.EMPTY));
    assertThat(solo.takeSent())
        .containsExactly(
            new AppendResponse(3, 1, 7, 0, false, 0, 0), new AppendResponse(3, 1, 7, 0, false, 0, 0));
  }

  /// Raft thesis §4.2.3: who heard from a leader within the minimum election timeout neither votes nor takes over a
  /// candidate's term. Raft paper §6: a removed server disturbs nobody: who hears from a leader ignores it.
  @Test
  void aFollowerWithALeaderIgnoresCandidates() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY)).tick(9);
    solo.takeSent();
    solo.take(new Vote(1, 3, 5, 9, 9, Bytes.EMPTY), new PreVote(1, 3, 5, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).isEmpty();
    assertThat(solo.node.term()).isEqualTo(1);
  }

  /// Raft thesis §4.2.3: who heard from a leader within the minimum election timeout neither votes nor takes over a
  /// candidate's term.
  @Test
  void aLeaderIgnoresCandidatesToo() {
    Solo solo = checking(3).leadAndCommit();
    solo.take(new Vote(1, 3, 5, 9, 9, Bytes.EMPTY), new PreVote(1, 3, 5, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).isEmpty();
    assertThat(solo.node.isLeader()).isTrue();
    assertThat(solo.node.term()).isEqualTo(1);
  }

  /// etcd raft: such leases are part of CheckQuorum, and absent without it.
  @Test
  void withoutCheckQuorumThereIsNoLease() {
    Solo solo = Solo.among(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.takeSent();
    solo.take(new Vote(1, 3, 5, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(3, 1, 5, false));
  }

  /// Raft thesis §4.2.3: who heard from a leader within the minimum election timeout neither votes nor takes over a
  /// candidate's term.
  @Test
  void aLeaseRunsOut() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    Backdoor.forceElectionTimeout(solo.node, 19);
    solo.tick(10).takeSent();
    solo.take(new Vote(1, 3, 5, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(3, 1, 5, false));
  }

  /// Raft thesis §4.2.3: a candidate the leader itself has chosen is heard all the same.
  @Test
  void aTransferOverridesTheLease() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.takeSent();
    solo.take(new Vote(1, 3, 2, 0, 0, Bytes.utf8("CampaignTransfer")));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(3, 1, 2, false));
  }

  /// etcd raft: a follower told to forget its leader may grant pre-votes at once, unless reads trust the lease.
  @Test
  void aForgottenLeaderHasNoLease() {
    Solo solo = checking(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.node.forgetLeader();
    solo.takeSent();
    solo.take(new PreVote(1, 3, 2, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new PreVoteResponse(3, 1, 2, false));
    assertThat(solo.node.term()).isEqualTo(1);
  }

  /// etcd raft: a follower told to forget its leader may grant pre-votes at once, unless reads trust the lease.
  @Test
  void noLeaderIsForgottenWhereReadsTrustItsLease() {
    Solo solo =
        Solo.among(3, Solo.rules(r -> r.withCheckQuorum(true).withReadOnlyOption(ReadOnlyOption.LEASE_BASED)));
    solo.take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.node.forgetLeader();
    assertThat(solo.node.lead()).isEqualTo(2);
  }

  /// Raft thesis §6.2: a leader that reaches no majority for an election timeout steps down.
  @Test
  void aLeaderThatReachesNoQuorumStepsDown() {
    Solo solo = checking(3).leadAndCommit();
    solo.tick(10);
    assertThat(solo.node.isLeader()).as("heard from all in its first interval").isTrue();
    solo.tick(10);
    assertThat(solo.node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
    assertThat(solo.node.term()).isEqualTo(1);
  }

  /// Raft thesis §6.2: a leader that reaches no majority for an election timeout steps down.
  @Test
  void aLeaderNobodyEverAnsweredHasOneIntervalOnly() {
    Solo solo = checking(3).lead().tick(9);
    assertThat(solo.node.isLeader()).isTrue();
    solo.tick(1);
    assertThat(solo.node.isLeader()).as("votes are no answers to a leader").isFalse();
  }

  /// Raft thesis §6.2: a leader that reaches no majority for an election timeout steps down.
  @Test
  void aLeaderThatReachesAQuorumStays() {
    Solo solo = checking(3).leadAndCommit();
    for (int i = 0; i < 20; i++) {
      solo.tick(5).take(new HeartbeatResponse(1, 3, 1, Bytes.EMPTY));
    }
    assertThat(solo.node.isLeader()).isTrue();
  }

  /// etcd raft: a learner's vote, heartbeat or answer counts for no quorum.
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

  /// etcd raft: the lone voter of a cluster reaches its majority by itself.
  @Test
  void aLoneVoterIsItsOwnQuorum() {
    assertThat(checking(1).leadAndCommit().tick(100).node.isLeader()).isTrue();
  }
}
