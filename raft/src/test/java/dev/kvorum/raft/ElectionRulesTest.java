package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.Vote;
import dev.kvorum.raft.Message.VoteResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

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

  // §5.1: "If a server receives a request with a stale term number, it rejects the request."
  @ParameterizedTest
  @EnumSource(names = "PRE_CANDIDATE", mode = EnumSource.Mode.EXCLUDE)
  void aStaleTermIsIgnored(RaftState state) {
    Solo solo = in(state);
    solo.take(new Append(1, 3, 7, 0, 0, List.of(), 0));
    solo.takeSent();
    solo.take(new Append(1, 2, 6, 0, 0, Solo.entries(1, 6), 1));
    assertThat(solo.takeSent()).isEmpty();
    assertThat(solo.node.lead()).isEqualTo(3);
    assertThat(solo.node.term()).isEqualTo(7);
  }

  // §5.1: "If one server's current term is smaller than the other's, then it updates its current term to the larger
  // value. If a candidate or leader discovers that its term is out of date, it immediately reverts to follower state."
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

  // §5.2: "When servers start up, they begin as followers."
  @Test
  void aNodeStartsAsFollowerWithoutLeader() {
    assertThat(Solo.among(3).node.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
  }

  // §5.2: "Leaders send periodic heartbeats … to all followers in order to maintain their authority."
  @Test
  void aLeaderSendsHeartbeatsToAllEveryInterval() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.tick(1);
    assertThat(solo.takeSent())
        .containsExactly(
            new Heartbeat(2, 1, 1, 1, Bytes.EMPTY), new Heartbeat(3, 1, 1, 1, Bytes.EMPTY));
  }

  // §5.2: "A server remains in follower state as long as it receives valid RPCs from a leader or candidate."
  @Test
  void heartbeatsKeepAFollowerQuiet() {
    Solo solo = Solo.among(3);
    for (int i = 0; i < 100; i++) {
      solo.take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY)).tick(9);
    }
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
    assertThat(solo.node.term()).isEqualTo(1);
  }

  // §5.2: "To begin an election, a follower increments its current term and transitions to candidate state. It then
  // votes for itself and issues RequestVote RPCs in parallel to each of the other servers in the cluster."
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

  // §5.2: "A candidate wins an election if it receives votes from a majority of the servers in the full cluster for the
  // same term."
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

  @Test
  void aRepeatedVoteCountsOnce() {
    Solo solo = Solo.among(5);
    solo.node.campaign();
    solo.settle();
    solo.take(new VoteResponse(1, 2, 1, false), new VoteResponse(1, 2, 1, false));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  @Test
  void aCandidateDoesNotCountItsOwnVoteBeforeItIsSaved() {
    Solo solo = Solo.among(1);
    solo.node.campaign();
    assertThat(solo.node.ready().hardState()).isEqualTo(new HardState(1, 1, 0));
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    solo.node.advance();
    assertThat(solo.node.state()).isEqualTo(RaftState.LEADER);
  }

  // §5.2: "Each server will vote for at most one candidate in a given term, on a first-come-first-served basis."
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

  @Test
  void aVoteOutlivesARestart() {
    Solo solo = Solo.among(3).take(new Vote(1, 2, 4, 0, 0, Bytes.EMPTY));
    RawNode again = new RawNode(RaftConfig.of(1, 10, 1, solo.log, new SplittableRandom(2)));
    again.step(new Vote(1, 3, 4, 0, 0, Bytes.EMPTY));
    assertThat(again.ready().messages()).containsExactly(new VoteResponse(3, 1, 4, true));
  }

  // §5.2: "If the leader's term … is at least as large as the candidate's current term, then the candidate recognizes
  // the leader as legitimate and returns to follower state."
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

  // §5.2: "each candidate will time out and start a new election by incrementing its term"
  @Test
  void aSplitVoteEndsInANewElection() {
    Solo solo = Solo.among(3);
    solo.node.campaign();
    solo.tick(20);
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
    assertThat(solo.node.term()).isEqualTo(2);
  }

  // §5.2: "election timeouts are chosen randomly from a fixed interval"
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

  // §5.4.1: "the voter denies its vote if its own log is more up-to-date than that of the candidate. … If the logs have
  // last entries with different terms, then the log with the later term is more up-to-date. If the logs end with the
  // same term, then whichever log is longer is more up-to-date."
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

  @Test
  void grantingAVoteRestartsTheElectionTimer() {
    Solo solo = Solo.among(3);
    Backdoor.forceElectionTimeout(solo.node, 10);
    solo.tick(9).take(new Vote(1, 2, 0, 0, 0, Bytes.EMPTY));
    solo.take(new Vote(1, 2, 1, 0, 0, Bytes.EMPTY)).tick(9);
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
  }

  @Test
  void learnersDoNotCampaign() {
    Solo solo = Solo.with(List.of(2L, 3L), List.of(1L), c -> c);
    solo.tick(100);
    solo.node.campaign();
    assertThat(solo.settle().node.term()).isZero();
  }

  // A learner may have been promoted without knowing it yet; refusing could leave no electable majority.
  @Test
  void learnersVoteWhenAsked() {
    Solo solo = Solo.with(List.of(2L, 3L), List.of(1L), c -> c);
    solo.take(new Vote(1, 2, 1, 0, 0, Bytes.EMPTY));
    assertThat(solo.takeSent()).containsExactly(new VoteResponse(2, 1, 1, false));
  }

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

  // §8: "Raft handles this by having each leader commit a blank no-op entry into the log at the start of its term."
  @Test
  void aNewLeaderAppendsAnEmptyEntry() {
    Solo solo = Solo.withLog(1, 1, 1).lead();
    assertThat(solo.logTerms()).containsExactly(1L, 1L, 2L);
    assertThat(solo.log.entry(3).data()).isEqualTo(Bytes.EMPTY);
  }
}
