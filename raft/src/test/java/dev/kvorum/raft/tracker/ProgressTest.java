package dev.kvorum.raft.tracker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.InvariantViolation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTest {
  private static Progress at(long match, long next) {
    return new Progress(match, next, new Inflights(2, 0), false, true);
  }

  @Test
  void matchIsBelowNext() {
    assertThatThrownBy(() -> at(5, 5)).isInstanceOf(InvariantViolation.class);
  }

  /// etcd raft: a member that is probed gets one message at a time.
  @Test
  void probingPausesAfterOneMessageWithEntries() {
    Progress progress = at(3, 5);
    progress.sentEntries(0, 0);
    assertThat(progress.isPaused()).isFalse();
    progress.sentEntries(2, 9);
    assertThat(progress.isPaused()).isTrue();
    assertThat(progress.next()).as("nothing is assumed to have arrived").isEqualTo(5);
  }

  @Test
  void replicationMovesOnAndPausesWhenFull() {
    Progress progress = at(3, 4);
    progress.becomeReplicate();
    progress.sentEntries(2, 9);
    progress.sentEntries(1, 9);
    assertThat(progress.next()).isEqualTo(7);
    assertThat(progress).hasToString("StateReplicate match=3 next=7 paused inflight=2[full]");
  }

  /// etcd raft: a refusal that contradicts what is known is late, and ignored.
  @ParameterizedTest(name = "{0}: match {1} next {2}, rejected {3} hint {4}")
  @CsvSource({
    "probe, 0, 10, 9, 4, true, 5",
    "probe, 0, 10, 9, 20, true, 9",
    "probe, 7, 10, 9, 2, true, 8",
    "probe, 0, 10, 5, 2, false, 10",
    "replicate, 5, 10, 5, 3, false, 10",
    "replicate, 5, 10, 4, 3, false, 10",
    "replicate, 5, 10, 8, 3, true, 6"
  })
  void rejectionsMoveBackUnlessStale(
      String state, long match, long next, long rejected, long hint, boolean fresh, long nextAfter) {
    Progress progress = at(match, next);
    if (state.equals("replicate")) {
      progress.becomeReplicate();
      while (progress.next() < next) {
        progress.sentEntries((int) (next - progress.next()), 1);
      }
    }
    assertThat(progress.maybeDecrementTo(rejected, hint)).isEqualTo(fresh);
    assertThat(progress.next()).isEqualTo(nextAfter);
  }

  @Test
  void afterASnapshotProbingStartsBehindIt() {
    Progress progress = at(1, 2);
    progress.becomeSnapshot(9);
    assertThat(progress).hasToString("StateSnapshot match=1 next=10 paused pendingSnap=9");
    assertThatThrownBy(() -> progress.sentEntries(1, 1)).isInstanceOf(InvariantViolation.class);
    progress.becomeProbe();
    assertThat(progress.next()).isEqualTo(10);
    progress.becomeSnapshot(19);
    progress.snapshotFailed();
    assertThat(progress.next()).isEqualTo(2);
  }

  @Test
  void aCommitIsNewsOnceForEntriesThatWereSent() {
    Progress progress = at(5, 6);
    progress.becomeReplicate();
    progress.sentEntries(4, 1);
    progress.sentCommit(5);
    assertThat(progress.canBumpCommit(5)).isFalse();
    assertThat(progress.canBumpCommit(7)).isTrue();
    progress.sentCommit(9);
    assertThat(progress.canBumpCommit(12)).as("it has been sent nothing that far").isFalse();
  }
}
