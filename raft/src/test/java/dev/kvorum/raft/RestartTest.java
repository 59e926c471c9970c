package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.Vote;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// What a node goes on from.
class RestartTest {
  private static MemoryLog log(HardState hardState, long... terms) {
    MemoryLog log = new MemoryLog();
    log.applySnapshot(new Snapshot(Bytes.EMPTY, ConfState.of(List.of(1L, 2L), List.of(3L)), 5, 1));
    log.append(Solo.entries(6, terms));
    log.setHardState(hardState);
    return log;
  }

  private static RawNode restart(MemoryLog log, long applied) {
    return new RawNode(RaftConfig.of(1, 10, 1, log, new SplittableRandom(1)).withApplied(applied));
  }

  /// Raft thesis §3.8: after a restart, what is committed is applied again from the last snapshot on.
  @Test
  void committedEntriesBehindTheSnapshotAreHandedOutAgain() {
    RawNode node = restart(log(new HardState(2, 2, 7), 1, 2, 2), 0);
    assertThat(node.hardState()).isEqualTo(new HardState(2, 2, 7));
    Ready ready = node.ready();
    assertThat(ready.hardState()).as("it is on disk already").isEqualTo(HardState.EMPTY);
    assertThat(ready.entries()).isEmpty();
    assertThat(ready.committedEntries()).extracting(Entry::index).containsExactly(6L, 7L);
  }

  /// Raft thesis §3.8: a state machine that keeps its own state on disk applies nothing twice.
  @Test
  void whatIsKnownToBeAppliedIsNot() {
    RawNode node = restart(log(new HardState(2, 2, 7), 1, 2, 2), 6);
    assertThat(node.ready().committedEntries()).extracting(Entry::index).containsExactly(7L);
  }

  /// Raft thesis §3.8: a leader restarts as a follower of the term it led, with its log.
  @Test
  void aLeaderThatRestartsIsAFollowerOfItsTerm() {
    Solo solo = Solo.among(3).leadAndCommit().propose("a");
    RawNode again = new RawNode(RaftConfig.of(1, 10, 1, solo.log, new SplittableRandom(2)));
    assertThat(again.softState()).isEqualTo(new SoftState(0, RaftState.FOLLOWER));
    assertThat(again.hardState()).isEqualTo(new HardState(1, 1, 1));
    assertThat(again.lastIndex()).as("its log is all there").isEqualTo(2);
    assertThat(again.ready().messages()).isEmpty();
  }

  /// Raft thesis §3.8: entries, term and vote need a sync; the commit index does not, for it can be learned again.
  @Test
  void onlyEntriesTermAndVoteAreWorthASync() {
    Solo solo = Solo.among(3);
    assertThat(saved(solo, new AppendResponse(1, 2, 1, 0, false, 0, 0)).mustSync()).as("a term").isTrue();
    assertThat(saved(solo, new Vote(1, 3, 1, 0, 0, Bytes.EMPTY)).mustSync()).as("a vote").isTrue();
    assertThat(saved(solo, new Append(1, 3, 1, 0, 0, Solo.entries(1, 1), 0)).mustSync()).as("entries").isTrue();
    Ready committed = saved(solo, new Heartbeat(1, 3, 1, 1, Bytes.EMPTY));
    assertThat(committed.hardState()).isEqualTo(new HardState(1, 3, 1));
    assertThat(committed.mustSync()).as("the commit index can be learned again").isFalse();
  }

  private static Ready saved(Solo solo, Message message) {
    solo.node.step(message);
    Ready ready = solo.node.ready();
    solo.log.append(ready.entries());
    if (!ready.hardState().isEmpty()) {
      solo.log.setHardState(ready.hardState());
    }
    solo.node.advance();
    return ready;
  }

  /// Raft paper §7: a snapshot brings the configuration of its index.
  @Test
  void membersComeFromTheSnapshot() {
    assertThat(restart(log(HardState.EMPTY), 0).confState())
        .isEqualTo(ConfState.of(List.of(1L, 2L), List.of(3L)));
  }

  /// etcd raft: a commit index outside of the log is refused at the start.
  @Test
  void aCommitIndexOutsideTheLogIsRefused() {
    assertThatThrownBy(() -> restart(log(new HardState(2, 0, 9), 1, 2), 0))
        .isInstanceOf(InvariantViolation.class)
        .hasMessage("1 state.commit 9 is out of range [5, 7]");
    assertThatThrownBy(() -> restart(log(new HardState(2, 0, 4), 1, 2), 0)).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void nothingIsReadyAtFirst() {
    assertThat(restart(log(new HardState(2, 2, 5)), 5).hasReady()).isFalse();
  }

  @Test
  void theStoryIsToldInEtcdsWords() {
    List<String> told = new ArrayList<>();
    RaftLog listener = (level, message) -> told.add(level + " " + message.get());
    MemoryLog log = log(new HardState(2, 2, 6), 2);
    new RawNode(RaftConfig.of(1, 10, 1, log, new SplittableRandom(1)).withLog(listener));
    assertThat(told)
        .containsExactly(
            "INFO 1 switched to configuration voters=(1 2) learners=(3)",
            "INFO 1 became follower at term 2",
            "INFO newRaft 1 [peers: [1,2], term: 2, commit: 6, applied: 5, lastindex: 6, lastterm: 2]");
  }

  /// Raft paper §5.6: heartbeats come more often than election timeouts. Raft thesis §6.4.1: a lease may stand in for
  /// the round of heartbeats; it needs CheckQuorum.
  @Test
  void configurationsAreCheckedAtBirth() {
    MemoryLog log = new MemoryLog();
    SplittableRandom random = new SplittableRandom(1);
    assertThatThrownBy(() -> RaftConfig.of(0, 10, 1, log, random)).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(() -> RaftConfig.of(1, 1, 1, log, random)).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(
            () ->
                RaftConfig.of(1, 10, 1, log, random)
                    .withRules(RaftConfig.Rules.PLAIN.withReadOnlyOption(ReadOnlyOption.LEASE_BASED)))
        .isInstanceOf(InvariantViolation.class);
  }
}
