package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.tracker.Progress;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Raft paper §5.3 and §5.4.2, and the ways of etcd raft where the paper leaves a choice.
class ReplicationRulesTest {
  private static long[] terms(String list) {
    return list.isEmpty() ? new long[0] : Arrays.stream(list.split(",")).mapToLong(Long::parseLong).toArray();
  }

  /// Raft paper §5.3: a proposal is appended by the leader and sent to all, in parallel.
  @Test
  void aProposalIsAppendedAndSentToAll() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.propose("x");
    List<Entry> entries = List.of(Entry.normal(1, 2, Bytes.utf8("x")));
    assertThat(solo.takeSent())
        .containsExactly(new Append(2, 1, 1, 1, 1, entries, 1), new Append(3, 1, 1, 1, 1, entries, 1));
    assertThat(solo.log.entry(2)).isEqualTo(entries.get(0));
  }

  /// Raft thesis §10.2.2: requests are batched into one message.
  @Test
  void aBatchOfProposalsTravelsInOneMessage() {
    Solo solo = Solo.among(2).leadAndCommit();
    solo.node.propose(List.of(Bytes.utf8("a"), Bytes.utf8("b"), Bytes.utf8("c")));
    solo.settle();
    List<Append> appends = solo.takeSent(Append.class);
    assertThat(appends).hasSize(1);
    assertThat(appends.get(0).entries()).extracting(e -> e.data().toUtf8()).containsExactly("a", "b", "c");
  }

  /// Raft paper §5.3: an entry on a majority is committed.
  @ParameterizedTest
  @CsvSource({"1, 0, true", "3, 0, false", "3, 1, true", "5, 1, false", "5, 2, true", "4, 1, false", "4, 2, true"})
  void anEntryOnAMajorityIsCommitted(int voters, int acknowledgements, boolean committed) {
    Solo solo = Solo.among(voters).leadAndCommit();
    solo.propose("x");
    for (int i = 0; i < acknowledgements; i++) {
      solo.acknowledge(i + 2, 2);
    }
    assertThat(solo.node.committed()).isEqualTo(committed ? 2 : 1);
  }

  /// Raft paper §5.1: answers to what was asked in an earlier term count for nothing.
  @Test
  void anAcknowledgementOfAnEarlierTermIsNotCounted() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.propose("a").take(new Heartbeat(1, 2, 2, 1, Bytes.EMPTY)).lead();
    assertThat(solo.logTerms()).containsExactly(1L, 1L, 3L);
    solo.take(new AppendResponse(1, 2, 1, 3, false, 0, 0));
    assertThat(solo.node.committed()).isEqualTo(1);
    solo.acknowledge(2, 3);
    assertThat(solo.node.committed()).isEqualTo(3);
  }

  /// Raft paper figure 2: a new leader starts from its own log's end, and takes nothing for matched.
  @Test
  void aNewLeaderKnowsNothingOfItsFollowers() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.propose("a").acknowledge(2, 2).take(new Heartbeat(1, 3, 2, 2, Bytes.EMPTY)).lead();
    Progress.View follower = solo.node.status().progress().get(2L);
    assertThat(follower.match()).as("matchIndex").isZero();
    assertThat(follower.next()).as("nextIndex: behind what it had when elected").isEqualTo(3);
    assertThat(solo.node.committed()).isEqualTo(2);
  }

  /// Raft paper §5.3: the leader tells its commit index with what it sends.
  @Test
  void aNewCommitIndexIsToldAtOnce() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.propose("x").takeSent();
    solo.acknowledge(2, 2);
    assertThat(solo.takeSent())
        .containsExactly(
            new Append(2, 1, 1, 1, 2, List.of(), 2), new Append(3, 1, 1, 1, 2, List.of(), 2));
  }

  /// Raft paper §5.3: committed entries are applied in log order, each once, by leader and follower alike.
  @Test
  void aFollowerAppliesWhatTheLeaderCommitted() {
    Solo solo = Solo.among(3);
    solo.take(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1, 1, 1), 2));
    assertThat(solo.applied).extracting(Entry::index).containsExactly(1L, 2L);
    solo.take(new Append(1, 2, 1, 1, 3, List.of(), 3));
    assertThat(solo.applied).extracting(Entry::index).containsExactly(1L, 2L, 3L);
  }

  /// Raft paper §5.3: committed entries are applied in log order, each once, by leader and follower alike.
  @Test
  void aLeaderAppliesWhatIsCommittedInOrderAndOnce() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.propose("a").propose("b");
    assertThat(solo.applied).extracting(Entry::index).containsExactly(1L);
    solo.acknowledge(2, 2);
    assertThat(solo.applied).extracting(Entry::index).containsExactly(1L, 2L);
    solo.acknowledge(3, 3).acknowledge(2, 3);
    assertThat(solo.applied).extracting(Entry::index).containsExactly(1L, 2L, 3L);
  }

  /// Raft paper figure 2: the commit index never goes back.
  @Test
  void theCommitIndexNeverGoesBack() {
    Solo solo = Solo.among(3).take(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1, 1, 1), 3));
    solo.take(new Heartbeat(1, 2, 1, 1, Bytes.EMPTY), new Append(1, 2, 1, 1, 3, List.of(), 0));
    assertThat(solo.node.committed()).isEqualTo(3);
    solo.take(new Append(1, 3, 2, 1, 3, Solo.entries(4, 2), 1));
    assertThat(solo.node.committed()).isEqualTo(3);
  }

  /// Raft paper figure 2: a follower commits up to the leader's index or its last entry known to match, whichever is
  /// less.
  @Test
  void aFollowerCommitsNoFurtherThanItKnowsItsLogToMatch() {
    Solo solo = Solo.withLog(1, 1, 1, 1);
    solo.take(new Append(1, 2, 2, 1, 1, List.of(), 3));
    assertThat(solo.node.committed()).isEqualTo(1);
    assertThat(solo.takeSent()).containsExactly(new AppendResponse(2, 1, 2, 1, false, 0, 0));
  }

  /// Raft paper §5.3: a follower refuses entries unless it holds the one before them.
  @ParameterizedTest(name = "log {0}, append behind {1}/{2}: hint {3}/{4}")
  @CsvSource({
    "'1,2', 3, 3, 2, 2",
    "'1,2', 2, 3, 2, 2",
    "'1,2', 3, 2, 2, 2",
    "'1,3,3,3', 2, 4, 1, 1",
    "'2,2,2', 1, 3, 0, 0",
    "'1,1,5,5', 4, 4, 1, 2",
    "'', 4, 4, 0, 0"
  })
  void aFollowerRefusesWhatDoesNotFitAndHintsWhereItMay(
      String log, long prevTerm, long prevIndex, long hintTerm, long hintIndex) {
    Solo solo = Solo.withLog(6, terms(log));
    solo.take(new Append(1, 2, 6, prevTerm, prevIndex, Solo.entries(prevIndex + 1, 6), 0));
    assertThat(solo.takeSent())
        .containsExactly(new AppendResponse(2, 1, 6, prevIndex, true, hintTerm, hintIndex));
    assertThat(solo.logTerms()).hasSize(terms(log).length);
  }

  /// Raft paper §5.3: entries that conflict with the leader's are replaced, with all behind them; nothing else is.
  @ParameterizedTest(name = "log {0}, append {3} behind {1}/{2}")
  @CsvSource({
    "'1,2', 2, 2, '3', '1,2,3'",
    "'1,2', 1, 1, '3,4', '1,3,4'",
    "'1,2', 0, 0, '1', '1,2'",
    "'1,2', 0, 0, '3', '3'",
    "'1,2,2', 1, 1, '2', '1,2,2'",
    "'1,2,2,2', 1, 1, '2,3', '1,2,3'"
  })
  void onlyAConflictTruncatesAFollowersLog(
      String log, long prevTerm, long prevIndex, String appended, String result) {
    Solo solo = Solo.withLog(4, terms(log));
    solo.take(new Append(1, 2, 4, prevTerm, prevIndex, Solo.entries(prevIndex + 1, terms(appended)), 0));
    assertThat(solo.logTerms()).containsExactly(Arrays.stream(terms(result)).boxed().toArray(Long[]::new));
    long matched = prevIndex + terms(appended).length;
    assertThat(solo.takeSent()).containsExactly(new AppendResponse(2, 1, 4, matched, false, 0, 0));
  }

  /// Raft paper §5.5: a message that comes twice does no harm.
  @Test
  void anAppendThatComesTwiceIsAppendedOnce() {
    Solo solo = Solo.among(3);
    Append append = new Append(1, 2, 1, 0, 0, Solo.entries(1, 1, 1), 0);
    solo.take(append, append).take(append);
    AppendResponse answer = new AppendResponse(2, 1, 1, 2, false, 0, 0);
    assertThat(solo.takeSent()).containsExactly(answer, answer, answer);
    assertThat(solo.logTerms()).containsExactly(1L, 1L);
    solo.node.step(append);
    assertThat(solo.node.ready().entries()).as("nothing to write").isEmpty();
  }

  /// Raft paper §5.3: a refused leader looks further back, a whole term at a time, until the logs meet.
  @Test
  void aRefusedLeaderLooksFurtherBackAWholeTermAtOnce() {
    Solo solo = Solo.withLog(5, 1, 3, 3, 3, 3).lead();
    assertThat(solo.takeSent(Append.class)).extracting(Append::prevIndex).containsExactly(5L, 5L);
    // Its log is 1, 2, 2, 2, 2: ours has nothing of term 2, so they can meet at 1 at the latest.
    solo.take(new AppendResponse(1, 2, 6, 5, true, 2, 5));
    assertThat(solo.takeSent(Append.class)).extracting(Append::prevIndex).containsExactly(1L);
    solo.take(new AppendResponse(1, 2, 6, 1, true, 0, 0));
    assertThat(solo.takeSent(Append.class))
        .singleElement()
        .satisfies(m -> assertThat(m.entries()).as("all of it").hasSize(6));
  }

  /// Raft paper §5.3, figure 7: every follower log shown there becomes the leader's.
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "(a) one entry missing|'1,1,1,4,4,5,5,6,6'",
        "(b) many missing|'1,1,1,4'",
        "(c) one too many|'1,1,1,4,4,5,5,6,6,6,6'",
        "(d) of a later term|'1,1,1,4,4,5,5,6,6,6,7,7'",
        "(e) missing and too many|'1,1,1,4,4,4,4'",
        "(f) from other terms|'1,1,1,2,2,2,3,3,3,3,3'"
      })
  void aLeaderBringsAnyFollowerToItsOwnLog(String name, String followerLog) {
    Solo leader = Solo.withLog(7, 1, 1, 1, 4, 4, 5, 5, 6, 6, 6);
    leader.lead();
    MemoryLog log = new MemoryLog();
    log.applySnapshot(new Snapshot(Bytes.EMPTY, ConfState.of(List.of(1L, 2L, 3L), List.of()), 0, 0));
    log.append(Solo.entries(1, terms(followerLog)));
    log.setHardState(new HardState(7, 0, 0));
    RawNode follower =
        new RawNode(RaftConfig.of(2, 10, 1, log, new SplittableRandom(2)));
    int rounds = exchange(leader, follower, log);
    assertThat(log.lastIndex()).isEqualTo(11);
    for (long i = 1; i <= 11; i++) {
      assertThat(log.term(i)).isEqualTo(leader.log.term(i));
    }
    // One round trip for each term that differs, not for each entry.
    assertThat(rounds).isLessThanOrEqualTo(5);
  }

  /// Carries appends and answers between them until there are none. @return how many appends it took
  private static int exchange(Solo leader, RawNode follower, MemoryLog log) {
    int rounds = 0;
    while (true) {
      List<Append> appends = leader.takeSent(Append.class).stream().filter(m -> m.to() == 2).toList();
      if (appends.isEmpty()) {
        return rounds;
      }
      for (Append append : appends) {
        rounds++;
        follower.step(append);
        while (follower.hasReady()) {
          Ready ready = follower.ready();
          log.append(ready.entries());
          follower.advance();
          ready.messages().forEach(leader::take);
        }
      }
    }
  }

  /// Raft paper §5.4.2: a leader commits by counting only entries of its own term, and with them all before.
  @Test
  void aLeaderCommitsOnlyEntriesOfItsOwnTerm() {
    Solo solo = Solo.withLog(2, 1, 2).lead();
    assertThat(solo.logTerms()).containsExactly(1L, 2L, 3L);
    solo.acknowledge(2, 1);
    assertThat(solo.node.committed()).isZero();
    solo.acknowledge(2, 2);
    assertThat(solo.node.committed()).as("on a majority, but of an earlier term").isZero();
    solo.acknowledge(2, 3);
    assertThat(solo.node.committed()).isEqualTo(3);
    assertThat(solo.applied).extracting(Entry::index).containsExactly(1L, 2L, 3L);
  }

  /// Raft paper figure 3: a leader never overwrites or deletes entries of its log (leader append-only).
  @Test
  void aLeaderIgnoresAppendsOfItsOwnTerm() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.take(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1, 1), 2));
    assertThat(solo.node.isLeader()).isTrue();
    assertThat(solo.logTerms()).containsExactly(1L);
  }

  /// etcd raft: what contradicts a committed entry stops the member.
  @Test
  void aConflictWithACommittedEntryIsOurBug() {
    Solo solo = Solo.among(3);
    solo.take(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1), 1));
    assertThat(solo.node.committed()).isEqualTo(1);
    assertThatThrownBy(() -> solo.take(new Heartbeat(1, 2, 1, 9, Bytes.EMPTY)))
        .isInstanceOf(InvariantViolation.class)
        .hasMessageContaining("tocommit(9) is out of range [lastIndex(1)]");
  }

  /// etcd raft: a follower asked to append before its commit index answers with that index.
  @Test
  void anAppendBehindTheCommitIndexIsAnsweredWithIt() {
    Solo solo = Solo.among(3);
    solo.take(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1, 1, 1), 3));
    solo.takeSent();
    solo.take(new Append(1, 2, 1, 1, 1, Solo.entries(2, 1), 3));
    assertThat(solo.takeSent()).containsExactly(new AppendResponse(2, 1, 1, 3, false, 0, 0));
  }

  /// Raft paper figure 2: entries are saved before they are acknowledged.
  @Test
  void entriesAreAcknowledgedOnlyOnceSaved() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withAsyncStorageWrites(true)));
    solo.node.step(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1), 0));
    Ready ready = solo.node.ready();
    assertThat(ready.messages()).singleElement().isInstanceOf(Message.StorageAppend.class);
    Message.StorageAppend save = (Message.StorageAppend) ready.messages().get(0);
    assertThat(save.responses())
        .containsExactly(
            new AppendResponse(2, 1, 1, 1, false, 0, 0),
            new Message.StorageAppendResponse(1, Message.APPEND_THREAD, 1, 1, 1, Snapshot.EMPTY));
  }

  /// Raft thesis §10.2.1: a leader sends while its own disk writes.
  @Test
  void aLeaderSendsBeforeItsOwnDiskIsDone() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withAsyncStorageWrites(true))).leadAndCommit();
    solo.node.propose(Bytes.utf8("x"));
    assertThat(solo.node.ready().messages())
        .extracting(Message::type)
        .containsExactly(MessageType.APPEND, MessageType.APPEND, MessageType.STORAGE_APPEND);
  }

  /// Raft thesis §10.2.1: a majority of followers commits without the leader's disk, whose entries do not count
  /// before they are saved.
  @Test
  void followersMayCommitWithoutTheLeadersDisk() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withAsyncStorageWrites(true))).leadAndCommit();
    solo.node.propose(Bytes.utf8("x"));
    solo.node.ready();
    solo.node.step(new AppendResponse(1, 2, 1, 2, false, 0, 0));
    assertThat(solo.node.committed()).isEqualTo(1);
    solo.node.step(new AppendResponse(1, 3, 1, 2, false, 0, 0));
    assertThat(solo.node.committed()).isEqualTo(2);
    assertThat(solo.node.ready().committedEntries()).as("not applied before it is saved here").isEmpty();
  }

  /// etcd raft: a heartbeat says no commit index beyond what its receiver is known to hold.
  @Test
  void heartbeatsDoNotCommitWhatAFollowerMayLack() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.propose("x").acknowledge(2, 2).takeSent();
    solo.tick(1);
    assertThat(solo.takeSent())
        .containsExactly(
            new Heartbeat(2, 1, 1, 2, Bytes.EMPTY), new Heartbeat(3, 1, 1, 1, Bytes.EMPTY));
  }

  /// etcd raft: every heartbeat carries the open round; contexts are echoed byte for byte, and those that are no round
  /// of ours ignored.
  @Test
  void aHeartbeatIsAnsweredWithItsOwnContext() {
    Solo solo = Solo.among(3);
    Bytes context = Bytes.utf8("any bytes at all");
    solo.take(new Heartbeat(1, 2, 1, 0, context));
    assertThat(solo.takeSent()).containsExactly(new HeartbeatResponse(2, 1, 1, context));
  }

  /// Raft paper §5.5: what a follower has not acknowledged is sent again, for as long as it takes.
  @Test
  void aHeartbeatResponseOfALaggingFollowerIsAnsweredWithEntries() {
    Solo solo = Solo.among(2).leadAndCommit();
    solo.node.reportUnreachable(2);
    solo.propose("lost").takeSent();
    solo.take(new HeartbeatResponse(1, 2, 1, Bytes.EMPTY));
    List<Append> appends = solo.takeSent(Append.class);
    assertThat(appends).hasSize(1);
    assertThat(appends.get(0).entries()).hasSize(1);
  }

  /// Raft paper §5.3: entries that conflict with the leader's are replaced, with all behind them; nothing else is.
  @Test
  void anUncommittedTailOfAnOldLeaderIsReplaced() {
    Solo old = Solo.among(3).leadAndCommit();
    old.propose("a").propose("b");
    assertThat(old.logTerms()).containsExactly(1L, 1L, 1L);
    old.take(new Append(1, 3, 2, 1, 1, Solo.entries(2, 2), 2));
    assertThat(old.logTerms()).containsExactly(1L, 2L);
    assertThat(old.applied).extracting(e -> e.data().toUtf8()).containsExactly("", "new2");
  }
}
