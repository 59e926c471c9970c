package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.Message.InstallSnapshot;
import dev.kvorum.raft.tracker.Progress;
import dev.kvorum.raft.tracker.ProgressState;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Raft paper §7, both sides, and how a leader waits for a snapshot to arrive.
class SnapshotRulesTest {
  private static final ConfState THREE = ConfState.of(List.of(1L, 2L, 3L), List.of());

  private static Snapshot snapshot(long index, long term) {
    return new Snapshot(Bytes.utf8("state at " + index), THREE, index, term);
  }

  /// A leader that has compacted everything but its last entry, and whose follower 3 just told it how far behind it is.
  private static Solo leaderOfOneBehind() {
    Solo solo = Solo.among(3).leadAndCommit();
    solo.take(new AppendResponse(1, 3, 1, 1, false, 0, 0));
    for (int i = 2; i <= 9; i++) {
      solo.propose("p" + i).acknowledge(2, i);
    }
    solo.log.createSnapshot(8, solo.node.confState(), Bytes.utf8("state at 8"));
    solo.log.compact(8);
    solo.node.reportUnreachable(3);
    solo.takeSent();
    return solo.take(new AppendResponse(1, 3, 1, 1, true, 0, 0), new HeartbeatResponse(1, 3, 1, Bytes.EMPTY));
  }

  private static Progress.View progress(Solo solo, long id) {
    return solo.node.status().progress().get(id);
  }

  /// Raft paper §7: a follower whose next entry is compacted away is sent a snapshot.
  @Test
  void aFollowerBehindTheLogGetsASnapshot() {
    Solo solo = leaderOfOneBehind();
    assertThat(solo.takeSent(InstallSnapshot.class)).containsExactly(new InstallSnapshot(3, 1, 1, snapshot(8, 1)));
    assertThat(progress(solo, 3).state()).isEqualTo(ProgressState.SNAPSHOT);
  }

  /// etcd raft: nothing else is sent until the snapshot has arrived; then entries follow.
  @Test
  void nothingElseIsSentUntilTheSnapshotArrived() {
    Solo solo = leaderOfOneBehind();
    solo.takeSent();
    solo.propose("x").take(new HeartbeatResponse(1, 3, 1, Bytes.EMPTY));
    assertThat(solo.takeSent()).noneMatch(m -> m.to() == 3);
  }

  /// etcd raft: nothing else is sent until the snapshot has arrived; then entries follow.
  @Test
  void anArrivedSnapshotIsFollowedByEntries() {
    Solo solo = leaderOfOneBehind();
    solo.takeSent();
    solo.acknowledge(3, 8);
    assertThat(progress(solo, 3).state()).isEqualTo(ProgressState.REPLICATE);
    assertThat(solo.takeSent(Append.class))
        .singleElement()
        .satisfies(m -> assertThat(m.entries()).extracting(Entry::index).containsExactly(9L));
  }

  /// etcd raft: the end of a transmission is reported; a failed one is tried again after the next heartbeat.
  @Test
  void aReportedSuccessProbesBehindTheSnapshot() {
    Solo solo = leaderOfOneBehind();
    solo.node.reportSnapshot(3, false);
    assertThat(progress(solo, 3).state()).isEqualTo(ProgressState.PROBE);
    assertThat(progress(solo, 3).next()).isEqualTo(9);
    assertThat(progress(solo, 3).paused()).as("until it answers").isTrue();
  }

  /// etcd raft: the end of a transmission is reported; a failed one is tried again after the next heartbeat.
  @Test
  void aReportedFailureTriesAgainAfterTheNextHeartbeat() {
    Solo solo = leaderOfOneBehind();
    solo.takeSent();
    solo.node.reportSnapshot(3, true);
    solo.propose("x");
    assertThat(solo.takeSent()).noneMatch(m -> m.to() == 3);
    solo.take(new HeartbeatResponse(1, 3, 1, Bytes.EMPTY));
    assertThat(solo.takeSent(InstallSnapshot.class)).hasSize(1);
  }

  /// etcd raft: nobody silent is sent a snapshot.
  @Test
  void noSnapshotIsSentToASilentFollower() {
    Solo solo = Solo.among(3, Solo.rules(r -> r.withCheckQuorum(true))).leadAndCommit();
    solo.propose("a").acknowledge(2, 2).propose("b").acknowledge(2, 3);
    solo.log.createSnapshot(2, THREE, Bytes.EMPTY);
    solo.log.compact(2);
    solo.tick(10);
    solo.node.reportUnreachable(3);
    solo.takeSent();
    solo.propose("c");
    assertThat(solo.takeSent()).as("nothing heard of 3 since the last count").noneMatch(m -> m.to() == 3);
    solo.take(new HeartbeatResponse(1, 3, 1, Bytes.EMPTY));
    assertThat(solo.takeSent(InstallSnapshot.class)).extracting(Message::to).containsExactly(3L);
  }

  /// Raft paper §7: a log that does not hold the snapshot's last entry is discarded.
  @Test
  void aSnapshotReplacesALogThatLacksIt() {
    Solo solo = Solo.withLog(1, 1, 1);
    solo.take(new InstallSnapshot(1, 2, 2, snapshot(8, 2)));
    assertThat(solo.log.firstIndex()).isEqualTo(9);
    assertThat(solo.log.snapshot()).isEqualTo(snapshot(8, 2));
    assertThat(solo.node.committed()).isEqualTo(8);
    assertThat(solo.node.applied()).isEqualTo(8);
    assertThat(solo.takeSent()).containsExactly(new AppendResponse(2, 1, 2, 8, false, 0, 0));
    solo.take(new Append(1, 2, 2, 2, 8, Solo.entries(9, 2), 9));
    assertThat(solo.applied).extracting(Entry::index).containsExactly(9L);
  }

  /// Raft paper §7: a log that does not hold the snapshot's last entry is discarded.
  @Test
  void aLogThatDiffersWhereTheSnapshotEndsIsDiscarded() {
    Solo solo = Solo.withLog(1, 1, 1, 1);
    solo.take(new InstallSnapshot(1, 2, 2, snapshot(2, 2)));
    assertThat(solo.log.firstIndex()).isEqualTo(3);
    assertThat(solo.node.lastIndex()).isEqualTo(2);
    assertThat(solo.node.applied()).isEqualTo(2);
  }

  /// Raft paper figure 13: a snapshot of an earlier term is ignored.
  @Test
  void aSnapshotOfAnEarlierTermIsIgnored() {
    Solo solo = Solo.withLog(5, 1);
    solo.take(new InstallSnapshot(1, 2, 4, snapshot(8, 4)));
    assertThat(solo.takeSent()).isEmpty();
    assertThat(solo.node.committed()).isZero();
    assertThat(solo.logTerms()).containsExactly(1L);
  }

  /// Raft paper §7: a snapshot is word from the leader.
  @Test
  void aSnapshotIsWordFromTheLeader() {
    Solo solo = Solo.among(3).take(new Heartbeat(1, 2, 1, 0, Bytes.EMPTY));
    Backdoor.forceElectionTimeout(solo.node, 10);
    solo.tick(9).take(new InstallSnapshot(1, 2, 1, snapshot(8, 1))).tick(9);
    assertThat(solo.node.softState()).isEqualTo(new SoftState(2, RaftState.FOLLOWER));
    solo.tick(1);
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  /// Raft paper §7: a log that holds it is kept, and what follows it with it.
  @Test
  void aSnapshotOfOurOwnPrefixOnlyMovesTheCommitIndex() {
    Solo solo = Solo.withLog(1, 1, 1, 1);
    solo.take(new InstallSnapshot(1, 2, 2, snapshot(2, 1)));
    assertThat(solo.logTerms()).hasSize(3);
    assertThat(solo.node.committed()).isEqualTo(2);
    assertThat(solo.takeSent()).containsExactly(new AppendResponse(2, 1, 2, 2, false, 0, 0));
  }

  /// etcd raft: a snapshot older than the commit index, or without its receiver, is not taken.
  @Test
  void anOldSnapshotIsAnsweredWithTheCommitIndex() {
    Solo solo = Solo.among(3).take(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1, 1, 1), 3));
    solo.takeSent();
    solo.take(new InstallSnapshot(1, 2, 1, snapshot(2, 1)));
    assertThat(solo.takeSent()).containsExactly(new AppendResponse(2, 1, 1, 3, false, 0, 0));
  }

  /// etcd raft: a snapshot older than the commit index, or without its receiver, is not taken.
  @Test
  void aSnapshotWithoutUsIsNotForUs() {
    Solo solo = Solo.among(3);
    ConfState others = ConfState.of(List.of(2L, 3L), List.of());
    solo.take(new InstallSnapshot(1, 2, 1, new Snapshot(Bytes.EMPTY, others, 8, 1)));
    assertThat(solo.node.committed()).isZero();
  }

  /// Raft paper §7: a snapshot brings the configuration of its index.
  @Test
  void aSnapshotBringsItsConfiguration() {
    Solo solo = Solo.among(3);
    ConfState joint = new ConfState(List.of(1L, 4L), List.of(5L), List.of(1L, 2L, 3L), List.of(3L), true);
    solo.take(new InstallSnapshot(1, 2, 1, new Snapshot(Bytes.EMPTY, joint, 8, 1)));
    assertThat(solo.node.confState()).isEqualTo(joint);
  }

  /// etcd raft: a member whose state is being replaced by a snapshot does not campaign.
  @Test
  void aNodeThatIsReplacingItsStateDoesNotCampaign() {
    Solo solo = Solo.among(3);
    solo.node.step(new InstallSnapshot(1, 2, 1, snapshot(8, 1)));
    solo.node.campaign();
    assertThat(solo.node.state()).isEqualTo(RaftState.FOLLOWER);
    solo.settle();
    solo.node.campaign();
    assertThat(solo.node.state()).isEqualTo(RaftState.CANDIDATE);
  }

  /// etcd raft: nothing is applied before the snapshot it follows.
  @Test
  void entriesAreNotAppliedBeforeTheSnapshotTheyFollow() {
    Solo solo = Solo.among(3);
    solo.node.step(new InstallSnapshot(1, 2, 1, snapshot(8, 1)));
    solo.node.step(new Append(1, 2, 1, 1, 8, Solo.entries(9, 1), 9));
    Ready ready = solo.node.ready();
    assertThat(ready.snapshot()).isEqualTo(snapshot(8, 1));
    assertThat(ready.committedEntries()).isEmpty();
  }
}
