package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.Message.InstallSnapshot;
import dev.kvorum.raft.Message.PreVoteResponse;
import dev.kvorum.raft.Message.Vote;
import dev.kvorum.raft.Message.VoteResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Raft paper §5.1, §5.2 and §5.4.1, sentence by sentence.
class ElectionRulesTest {
  private static Solo in(RaftState state) {
    Solo solo = Solo.among(3);
    switch (state) {
      case FOLLOWER -> solo.take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
      case CANDIDATE -> solo.node.campaign();
      case LEADER -> solo.lead();
      case PRE_CANDIDATE -> {
        Solo rehearsing = Solo.among(3, Solo.rules(r -> r.withPreVote(true)));
        rehearsing.node.campaign();
        return rehearsing.settle();
      }
    }
    return solo.settle();
  }

  /// Raft paper §5.1: a message of an earlier term is not acted on.
  @ParameterizedTest
  @EnumSource(names = "PRE_CANDIDATE", mode = EnumSource.Mode.EXCLUDE)
  void aStaleTermIsIgnored(RaftState state) {
    Solo solo = Solo.withLog(6, 6);
    switch (state) {
      case CANDIDATE -> solo.node.campaign();
      case LEADER -> solo.lead();
      default -> solo.take(new Append(1, 3, 7, 6, 1, List.of(), 0));
    }
    SoftState before = solo.settle().node.softState();
    List<Long> log = solo.logTerms();
    solo.takeSent();
    solo.take(
        new Append(1, 2, 6, 0, 0, Solo.entries(1, 5, 6, 6), 2),
        new Heartbeat(1, 2, 6, 1, Bytes.EMPTY));
    assertThat(solo.takeSent()).isEmpty();
    assertThat(before.state()).isEqualTo(state);
    assertThat(solo.node.softState()).isEqualTo(before);
    assertThat(solo.node.term()).isEqualTo(7);
    assertThat(solo.node.committed()).isZero();
    assertThat(solo.logTerms()).isEqualTo(log);
  }

  /// Raft paper figure 2: a candidate of an earlier term gets no vote.
  @Test
  void aStaleCandidateGetsNoVote() {
    Solo solo = Solo.withLog(5, 1);
    solo.take(new Vote(1, 2, 4, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).isEmpty();
    assertThat(solo.log.hardState()).isEqualTo(new HardState(5, 0, 0));
    solo.take(new Vote(1, 2, 5, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(2, 1, 5, false));
  }

  /// Raft paper §5.1: answers to what was asked in an earlier term count for nothing.
  @Test
  void aVoteOfAnEarlierTermIsNotCounted() {
    Solo solo = Solo.among(3);
    solo.node.campaign();
    solo.settle();
    solo.node.campaign();
    solo.settle().take(new VoteResponse(1, 2, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    solo.take(new VoteResponse(1, 2, 2, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.LEADER);
  }

  /// Raft paper §5.1: a higher term is adopted from any message, without a vote in it yet; whoever led or campaigned
  /// follows.
  @ParameterizedTest
  @EnumSource(RaftState.class)
  void aHigherTermIsAdoptedAndMakesAFollower(RaftState state) {
    Solo solo = in(state);
    solo.take(new Append(1, 2, 9, 0, 0, List.of(), 0));
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
    assertThat(solo.node.term()).isEqualTo(9);
    assertThat(solo.node.lead()).isEqualTo(2);
    assertThat(solo.log.hardState()).as("term saved, vote cleared").isEqualTo(new HardState(9, 0, 0));
  }

  private static Stream<Message> messagesOfTermNine() {
    Snapshot snapshot = new Snapshot(Bytes.EMPTY, ConfState.of(Solo.ids(3), List.of()), 5, 5);
    return Stream.of(
        new Heartbeat(1, 2, 9, 0, Bytes.EMPTY),
        new InstallSnapshot(1, 2, 9, snapshot),
        new Vote(1, 2, 9, 0, 0, Bytes.EMPTY),
        new VoteResponse(1, 2, 9, true),
        new PreVoteResponse(1, 2, 9, true),
        new AppendResponse(1, 2, 9, 0, false, 0, 0),
        new HeartbeatResponse(1, 2, 9, Bytes.EMPTY));
  }

  /// Raft paper §5.1: a higher term is adopted from any message, without a vote in it yet; whoever led or campaigned
  /// follows.
  @ParameterizedTest
  @MethodSource("messagesOfTermNine")
  void anyMessageOfAHigherTermMakesAFollower(Message message) {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.take(message);
    boolean fromLeader = message instanceof Heartbeat || message instanceof InstallSnapshot;
    assertThat(solo.node.softState()).isEqualTo(new SoftState(fromLeader ? 2 : 0, RaftState.FOLLOWER));
    assertThat(solo.log.hardState().term()).isEqualTo(9);
  }

  /// Raft paper §5.2: a member starts as a follower.
  @Test
  void aNodeStartsAsFollowerWithoutLeader() {
    assertThat(Solo.among(3).node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
  }

  /// Raft paper §5.2: a leader sends heartbeats to all, every interval.
  @Test
  void aLeaderSendsHeartbeatsToAllEveryInterval() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.tick(1);
    assertThat(solo.takeSent())
        .containsExactly(
            new Heartbeat(2, 1, 1, 1, Bytes.EMPTY), new Heartbeat(3, 1, 1, 1, Bytes.EMPTY));
  }

  /// Raft paper §5.2: a leader sends heartbeats to all, every interval.
  @Test
  void heartbeatsKeepTheirInterval() {
    Solo solo =
        Solo.among(
                3,
                c ->
                    new RaftConfig(
                        c.id(), 10, 3, c.storage(), c.applied(), c.limits(), c.rules(), c.random(), c.log()))
            .leadAndCommit();
    List<Integer> beats = new ArrayList<>();
    for (int tick = 1; tick <= 9; tick++) {
      if (!solo.tick(1).takeSent(Heartbeat.class).isEmpty()) {
        beats.add(tick);
      }
    }
    assertThat(beats).containsExactly(3, 6, 9);
  }

  /// Raft paper figure 2: a leader speaks as soon as it is elected.
  @Test
  void aNewLeaderSpeaksAtOnce() {
    Solo solo = Solo.among(3).lead();
    assertThat(solo.takeSent(Append.class)).extracting(Message::to).containsExactly(2L, 3L);
  }

  /// etcd raft: a leader does not campaign.
  @Test
  void aLeaderToldToCampaignGoesOnLeading() {
    Solo solo = Solo.among(3).lead();
    solo.node.campaign();
    assertThat(solo.settle().node.isLeader()).isTrue();
    assertThat(solo.node.term()).isEqualTo(1);
  }

  /// Raft paper §5.2: a follower that hears from its leader stays one.
  @Test
  void heartbeatsKeepAFollowerQuiet() {
    Solo solo = Solo.among(3);
    for (int i = 0; i < 100; i++) {
      solo.take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY)).tick(9);
    }
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
    assertThat(solo.node.term()).isEqualTo(1);
  }

  /// Raft paper §5.2: a follower that hears nothing raises its term, votes for itself and asks all others for their
  /// votes.
  @Test
  void aFollowerThatHearsNothingCampaigns() {
    Solo solo = Solo.withLog(3, 1, 3);
    solo.tick(20);
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    assertThat(solo.node.term()).isEqualTo(4);
    assertThat(solo.log.hardState()).isEqualTo(new HardState(4, 1, 0));
    assertThat(solo.takeSent())
        .containsExactly(
            new Vote(2, 1, 4, 3, 2, Bytes.EMPTY), new Vote(3, 1, 4, 3, 2, Bytes.EMPTY));
  }

  /// Raft paper §5.2: the votes of a majority elect, each member's first answer counted once.
  @ParameterizedTest
  @CsvSource({
    "1, '', LEADER",
    "3, 'y', LEADER",
    "3, '', CANDIDATE",
    "3, 'n', CANDIDATE",
    "3, 'nn', FOLLOWER",
    "5, 'yy', LEADER",
    "5, 'y', CANDIDATE",
    "5, 'ynn', CANDIDATE",
    "5, 'nnn', FOLLOWER",
    "5, 'ynnn', FOLLOWER",
    "4, 'yn', CANDIDATE",
    "4, 'nn', FOLLOWER"
  })
  void aMajorityDecides(int voters, String answers, RaftState outcome) {
    Solo solo = Solo.among(voters);
    solo.node.campaign();
    solo.settle();
    for (int i = 0; i < answers.length(); i++) {
      solo.take(new VoteResponse(1, i + 2, 1, answers.charAt(i) == 'n'));
    }
    assertThat(solo.node.state()).isEqualTo(outcome);
    assertThat(solo.node.term()).isEqualTo(1);
  }

  /// Raft paper §5.2: the votes of a majority elect, each member's first answer counted once.
  @Test
  void aRepeatedVoteCountsOnce() {
    Solo solo = Solo.among(5);
    solo.node.campaign();
    solo.settle();
    solo.take(new VoteResponse(1, 2, 1, false), new VoteResponse(1, 2, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  /// Raft paper §5.2: the votes of a majority elect, each member's first answer counted once.
  @Test
  void aMemberThatVotedDoesNotChangeItsMind() {
    Solo solo = Solo.among(3);
    solo.node.campaign();
    solo.settle();
    solo.take(new VoteResponse(1, 2, 1, true), new VoteResponse(1, 2, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  /// etcd raft: a learner's vote, heartbeat or answer counts for no quorum.
  @Test
  void aLearnersVoteElectsNobody() {
    Solo solo = Solo.with(List.of(1L, 2L, 3L), List.of(4L), c -> c);
    solo.node.campaign();
    solo.settle().take(new VoteResponse(1, 4, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  /// Raft thesis §3.8: a candidate's own vote counts once it is saved.
  @Test
  void aCandidateDoesNotCountItsOwnVoteBeforeItIsSaved() {
    Solo solo = Solo.among(1);
    solo.node.campaign();
    assertThat(solo.node.ready().hardState()).isEqualTo(new HardState(1, 1, 0));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    solo.node.advance();
    assertThat(solo.node.state()).isEqualTo(RaftState.LEADER);
  }

  /// Raft paper §5.2: a server votes for one candidate in a term, the first that asks. Raft paper §5.5: a message
  /// that comes twice does no harm.
  @ParameterizedTest
  @CsvSource({"0, 2, true", "0, 3, true", "2, 2, true", "3, 3, true", "2, 3, false", "3, 2, false"})
  void aServerVotesOnceInATerm(long votedFor, long candidate, boolean granted) {
    Solo solo = Solo.among(3);
    if (votedFor != 0) {
      solo.take(new Vote(1, votedFor, 1, 0, 0, Bytes.EMPTY));
    }
    solo.takeSent();
    solo.take(new Vote(1, candidate, 1, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(candidate, 1, 1, !granted));
  }

  /// Raft paper §5.2: a server votes for one candidate in a term, the first that asks.
  @ParameterizedTest
  @EnumSource(names = {"CANDIDATE", "LEADER"})
  void aCandidateOrLeaderRefusesItsRivals(RaftState state) {
    Solo solo = in(state);
    solo.takeSent();
    solo.take(new Vote(1, 3, 1, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(3, 1, 1, true));
    assertThat(solo.node.state()).isEqualTo(state);
  }

  /// etcd raft: a follower that knows the leader of its term votes for nobody else in it.
  @Test
  void aFollowerOfALeaderVotesForNobodyElseInItsTerm() {
    Solo solo = Solo.among(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    solo.takeSent();
    solo.take(new Vote(1, 3, 1, 9, 9, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(3, 1, 1, true));
  }

  /// Raft paper figure 2: term and vote are saved before a request is answered.
  @Test
  void aVoteIsSavedBeforeItIsSent() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withAsyncStorageWrites(true)));
    solo.node.step(new Vote(1, 2, 4, 0, 0, Bytes.EMPTY));
    Ready ready = solo.node.ready();
    assertThat(ready.messages())
        .containsExactly(
            new Message.StorageAppend(
                Message.APPEND_THREAD,
                1,
                List.of(),
                new HardState(4, 2, 0),
                Snapshot.EMPTY,
                List.of(new VoteResponse(2, 1, 4, false))));
    assertThat(ready.mustSync()).isTrue();
  }

  /// Raft paper figure 2: term and vote are saved before a request is answered.
  @Test
  void evenARefusalWaitsForItsTermToBeSaved() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withAsyncStorageWrites(true)));
    solo.take(new Append(1, 2, 4, 0, 0, Solo.entries(1, 4), 0));
    solo.node.step(new Vote(1, 3, 5, 1, 1, Bytes.EMPTY));
    assertThat(solo.node.ready().messages())
        .containsExactly(
            new Message.StorageAppend(
                Message.APPEND_THREAD,
                1,
                List.of(),
                new HardState(5, 0, 0),
                Snapshot.EMPTY,
                List.of(new VoteResponse(3, 1, 5, true))));
  }

  /// Raft thesis §3.8: a vote outlives a restart.
  @Test
  void aVoteOutlivesARestart() {
    Solo solo = Solo.among(3).take(new Vote(1, 2, 4, 0, 0, Bytes.EMPTY));
    RawNode again = new RawNode(RaftConfig.of(1, 10, 1, solo.log, new SplittableRandom(2)));
    again.step(new Vote(1, 3, 4, 0, 0, Bytes.EMPTY));
    assertThat(again.ready().messages()).containsExactly(new VoteResponse(3, 1, 4, true));
  }

  /// Raft paper §5.2: a candidate that hears from a leader of its term or a later one follows it.
  @ParameterizedTest
  @CsvSource({"1", "2"})
  void aCandidateYieldsToALeader(long term) {
    Solo solo = Solo.among(3);
    solo.node.campaign();
    solo.settle();
    solo.take(new Append(1, 2, term, 0, 0, List.of(), 0));
    assertThat(solo.node.softState()).isEqualTo(new SoftState(2, RaftState.FOLLOWER));
    assertThat(solo.node.term()).isEqualTo(term);
  }

  /// Raft paper §5.2: a candidate that neither wins nor loses starts over in a new term.
  @Test
  void aSplitVoteEndsInANewElection() {
    Solo solo = Solo.among(3);
    solo.node.campaign();
    solo.tick(20);
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    assertThat(solo.node.term()).isEqualTo(2);
  }

  /// Raft paper §5.2: election timeouts are random, and drawn anew for each election.
  @Test
  void electionTimeoutsAreDrawnFromOneToTwiceTheConfigured() {
    Set<Integer> seen = new TreeSet<>();
    for (int seed = 0; seed < 300; seed++) {
      MemoryLog log = new MemoryLog();
      log.applySnapshot(new Snapshot(Bytes.EMPTY, ConfState.of(List.of(1L, 2L, 3L), List.of()), 0, 0));
      RawNode node = new RawNode(RaftConfig.of(1, 10, 1, log, new SplittableRandom(seed)));
      int ticks = 0;
      while (node.state() == RaftState.FOLLOWER) {
        node.tick();
        ticks++;
      }
      seen.add(ticks);
    }
    assertThat(seen).hasSize(10).allMatch(ticks -> ticks >= 10 && ticks < 20);
  }

  /// Raft paper §5.2: election timeouts are random, and drawn anew for each election.
  @Test
  void aTimeoutIsDrawnAnewForEachElection() {
    Solo solo = Solo.among(3);
    Set<Integer> seen = new TreeSet<>();
    for (int election = 1; election <= 200; election++) {
      int ticks = 0;
      while (solo.node.term() < election) {
        solo.tick(1);
        ticks++;
      }
      seen.add(ticks);
    }
    assertThat(seen).hasSize(10).allMatch(ticks -> ticks >= 10 && ticks < 20);
  }

  /// Raft paper §5.4.1: a voter denies its vote to a candidate whose log is less up-to-date than its own.
  @ParameterizedTest(name = "ours ends in {0}, theirs is at {1}/{2}")
  @CsvSource({
    "'1', 1, 1, true",
    "'1', 1, 2, true",
    "'1,1', 1, 1, false",
    "'1', 2, 1, true",
    "'1,1', 2, 1, true",
    "'2', 1, 1, false",
    "'2', 1, 2, false",
    "'1,2', 1, 5, false"
  })
  void aVoterDeniesALessCompleteLog(String ours, long lastTerm, long lastIndex, boolean granted) {
    long[] terms = Arrays.stream(ours.split(",")).mapToLong(Long::parseLong).toArray();
    Solo solo = Solo.withLog(2, terms);
    solo.take(new Vote(1, 2, 3, lastTerm, lastIndex, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(2, 1, 3, !granted));
  }

  /// Raft paper figure 2: granting a vote restarts the election timer, refusing one does not.
  @Test
  void grantingAVoteRestartsTheElectionTimer() {
    Solo solo = Solo.among(3);
    Backdoor.forceElectionTimeout(solo.node, 10);
    solo.tick(9).take(new Vote(1, 2, 0, 0, 0, Bytes.EMPTY));
    solo.take(new Vote(1, 2, 1, 0, 0, Bytes.EMPTY)).tick(9);
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
  }

  /// Raft paper figure 2: granting a vote restarts the election timer, refusing one does not.
  @Test
  void refusingAVoteDoesNot() {
    Solo solo = Solo.among(3).take(new Vote(1, 2, 1, 0, 0, Bytes.EMPTY));
    Backdoor.forceElectionTimeout(solo.node, 10);
    solo.tick(9).take(new Vote(1, 3, 1, 0, 0, Bytes.EMPTY)).tick(1);
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  /// etcd raft: a learner does not campaign, not even when told to.
  @Test
  void learnersDoNotCampaign() {
    Solo solo = Solo.with(List.of(2L, 3L), List.of(1L), c -> c);
    solo.tick(100);
    solo.node.campaign();
    assertThat(solo.settle().node.term()).isZero();
  }

  /// etcd raft: a learner that is asked for its vote gives it: it may be a voter without knowing. A learner may have
  /// been promoted without knowing it yet; refusing could leave no electable majority.
  @Test
  void learnersVoteWhenAsked() {
    Solo solo = Solo.with(List.of(2L, 3L), List.of(1L), c -> c);
    solo.take(new Vote(1, 2, 1, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(2, 1, 1, false));
  }

  /// etcd raft: a member that knows of a committed conf change it has not applied does not campaign.
  @Test
  void aNodeWithUnappliedConfChangesDoesNotCampaign() {
    Solo solo = Solo.among(3);
    Entry change =
        new Entry(
            EntryType.CONF_CHANGE,
            1,
            1,
            ConfChangeCodec.encode(new ConfChange.V1(0, ConfChange.Type.ADD_NODE, 4, Bytes.EMPTY)));
    solo.node.step(new Append(1, 2, 1, 0, 0, List.of(change), 1));
    solo.node.campaign();
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
    solo.settle();
    solo.node.campaign();
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  /// Raft paper §8: a new leader commits an empty entry of its term.
  @Test
  void aNewLeaderAppendsAnEmptyEntry() {
    Solo solo = Solo.withLog(1, 1, 1).lead();
    assertThat(solo.logTerms()).containsExactly(1L, 1L, 2L);
    assertThat(solo.log.entry(3).data()).isEqualTo(Bytes.EMPTY);
  }
}
