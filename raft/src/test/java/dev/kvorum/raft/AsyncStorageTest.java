package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.StorageAppend;
import dev.kvorum.raft.Message.StorageAppendResponse;
import dev.kvorum.raft.Message.StorageApply;
import dev.kvorum.raft.Message.StorageApplyResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Asynchronous storage writes (Raft thesis §10.2.1): what leaves as a message, and what late answers may still mean.
class AsyncStorageTest {
  private static Solo async(int voters) {
    return Solo.among(voters, Solo.rules(r -> r.withAsyncStorageWrites(true)));
  }

  private static StorageAppend append(Ready ready) {
    return ready.messages().stream()
        .filter(StorageAppend.class::isInstance)
        .map(StorageAppend.class::cast)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void anAppendCarriesTheHardStateOnlyIfItChanged() {
    Solo solo = async(3).leadAndCommit();
    solo.node.propose(Bytes.utf8("x"));
    assertThat(append(solo.node.ready()).hardState()).isEqualTo(HardState.EMPTY);
    solo.node.step(new AppendResponse(1, 2, 1, 2, false, 0, 0));
    solo.node.step(new AppendResponse(1, 3, 1, 2, false, 0, 0));
    StorageAppend second = append(solo.node.ready());
    assertThat(second.hardState()).isEqualTo(new HardState(1, 1, 2));
    assertThat(second.entries()).isEmpty();
  }

  @Test
  void severalAppendsMayBeUnderWay() {
    Solo solo = async(3).leadAndCommit();
    solo.node.propose(Bytes.utf8("a"));
    StorageAppend first = append(solo.node.ready());
    solo.node.propose(Bytes.utf8("b"));
    StorageAppend second = append(solo.node.ready());
    assertThat(first.entries()).extracting(Entry::index).containsExactly(2L);
    assertThat(second.entries()).extracting(Entry::index).containsExactly(3L);
    assertThat(second.responses())
        .containsExactly(
            new AppendResponse(1, 1, 1, 3, false, 0, 0),
            new StorageAppendResponse(1, Message.APPEND_THREAD, 1, 1, 3, Snapshot.EMPTY));
    assertThat(solo.node.hasReady()).isFalse();
  }

  /// etcd raft: with asynchronous writes, nothing is applied before it is saved here.
  @Test
  void nothingUnsavedIsHandedOutForApplication() {
    Solo solo = async(3);
    solo.node.step(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1), 1));
    Ready ready = solo.node.ready();
    assertThat(ready.committedEntries()).isEmpty();
    StorageAppend save = append(ready);
    solo.log.append(save.entries());
    save.responses().stream().filter(m -> m.to() == 1).forEach(solo.node::step);
    List<Entry> entries = Solo.entries(1, 1);
    assertThat(solo.node.ready().messages())
        .containsExactly(
            new StorageApply(
                Message.APPLY_THREAD,
                1,
                entries,
                List.of(new StorageApplyResponse(1, Message.APPLY_THREAD, entries))));
  }

  /// etcd raft: the report of a write of an earlier term, or of entries replaced since, makes nothing stable. Entries
  /// at (index 2, term 1), replaced in term 2, and replaced back in term 3 by the same bytes: the report of the first
  /// write must not stand for the third, which is still under way.
  @Test
  void aReportFromAnEarlierTermStabilisesNothing() {
    Solo solo = async(3);
    solo.node.step(new Append(1, 2, 1, 0, 0, Solo.entries(1, 1, 1), 0));
    StorageAppend first = append(solo.node.ready());
    solo.node.step(new Append(1, 3, 2, 1, 1, Solo.entries(2, 2), 0));
    solo.node.ready();
    solo.node.step(new Append(1, 2, 3, 1, 1, Solo.entries(2, 1), 2));
    StorageAppend third = append(solo.node.ready());
    StorageAppendResponse late = (StorageAppendResponse) first.responses().getLast();
    assertThat(late).isEqualTo(new StorageAppendResponse(1, Message.APPEND_THREAD, 1, 1, 2, Snapshot.EMPTY));
    solo.node.step(late);
    assertThat(solo.node.hasReady()).as("still nothing to apply").isFalse();
    solo.log.append(Solo.entries(1, 1, 1));
    solo.node.step(third.responses().getLast());
    assertThat(solo.node.ready().committedEntries()).hasSize(2);
  }

  /// etcd raft: the report of a write of an earlier term, or of entries replaced since, makes nothing stable.
  @Test
  void aReportAboutReplacedEntriesIsIgnored() {
    Solo solo = async(3);
    solo.node.step(new Append(1, 2, 2, 0, 0, Solo.entries(1, 1, 1), 0));
    StorageAppendResponse report = (StorageAppendResponse) append(solo.node.ready()).responses().getLast();
    solo.node.step(new Append(1, 2, 2, 1, 1, Solo.entries(2, 2), 2));
    solo.node.step(report);
    assertThat(solo.node.ready().committedEntries()).isEmpty();
  }

  /// etcd raft: the report of a saved snapshot counts whatever the term.
  @Test
  void aSavedSnapshotIsReportedWithItsAppend() {
    Solo solo = async(3);
    Snapshot snapshot = new Snapshot(Bytes.EMPTY, ConfState.of(List.of(1L, 2L), List.of()), 7, 1);
    solo.node.step(new Message.InstallSnapshot(1, 2, 1, snapshot));
    StorageAppend save = append(solo.node.ready());
    assertThat(save.snapshot()).isEqualTo(snapshot);
    assertThat(save.responses())
        .containsExactly(
            new AppendResponse(2, 1, 1, 7, false, 0, 0),
            new StorageAppendResponse(1, Message.APPEND_THREAD, 1, 0, 0, snapshot));
    solo.log.applySnapshot(snapshot);
    solo.node.step(save.responses().getLast());
    assertThat(solo.node.applied()).isEqualTo(7);
  }

  /// etcd raft: the report of a saved snapshot counts whatever the term.
  @Test
  void aSnapshotIsTakenAsSavedEvenIfTheTermMovedOn() {
    Solo solo = async(3);
    Snapshot snapshot = new Snapshot(Bytes.EMPTY, ConfState.of(List.of(1L, 2L), List.of()), 7, 1);
    solo.node.step(new Message.InstallSnapshot(1, 2, 1, snapshot));
    StorageAppend save = append(solo.node.ready());
    solo.log.applySnapshot(snapshot);
    solo.node.step(new Append(1, 2, 5, 1, 7, List.of(), 7));
    solo.node.step(save.responses().getLast());
    assertThat(solo.node.applied()).isEqualTo(7);
  }

  /// etcd raft: entries handed out and not yet applied are limited in bytes.
  @Test
  void applyingIsBoundedAcrossReadys() {
    Solo solo =
        Solo.among(
            1,
            c ->
                c.withRules(c.rules().withAsyncStorageWrites(true))
                    .withLimits(new RaftConfig.Limits(1 << 20, 25, RaftConfig.UNLIMITED, 9, 0)));
    solo.leadAndCommit();
    solo.node.propose(List.of(Bytes.utf8("aaaa"), Bytes.utf8("bbbb"), Bytes.utf8("cccc")));
    StorageAppend save = append(solo.node.ready());
    solo.log.append(save.entries());
    save.responses().forEach(solo.node::step);
    Ready ready = solo.node.ready();
    assertThat(ready.committedEntries()).as("ten bytes each").hasSize(2);
    assertThat(solo.node.hasReady()).as("the rest waits for room").isFalse();
    solo.node.step(new StorageApplyResponse(1, Message.APPLY_THREAD, ready.committedEntries()));
    assertThat(solo.node.ready().committedEntries()).hasSize(1);
  }

  @Test
  void thereIsNothingToAdvance() {
    assertThatThrownBy(() -> async(1).node.advance()).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void withoutAsynchronousWritesReadysAreAdvancedOneByOne() {
    Solo solo = Solo.among(1);
    solo.node.campaign();
    solo.node.ready();
    assertThatThrownBy(solo.node::ready).isInstanceOf(InvariantViolation.class);
  }
}
