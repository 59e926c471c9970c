package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
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

  @Test
  void committedEntriesBehindTheSnapshotAreHandedOutAgain() {
    RawNode node = restart(log(new HardState(2, 2, 7), 1, 2, 2), 0);
    assertThat(node.hardState()).isEqualTo(new HardState(2, 2, 7));
    Ready ready = node.ready();
    assertThat(ready.hardState()).as("it is on disk already").isEqualTo(HardState.EMPTY);
    assertThat(ready.entries()).isEmpty();
    assertThat(ready.committedEntries()).extracting(Entry::index).containsExactly(6L, 7L);
  }

  @Test
  void whatIsKnownToBeAppliedIsNot() {
    RawNode node = restart(log(new HardState(2, 2, 7), 1, 2, 2), 6);
    assertThat(node.ready().committedEntries()).extracting(Entry::index).containsExactly(7L);
  }

  @Test
  void membersComeFromTheSnapshot() {
    assertThat(restart(log(HardState.EMPTY), 0).confState())
        .isEqualTo(ConfState.of(List.of(1L, 2L), List.of(3L)));
  }

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
