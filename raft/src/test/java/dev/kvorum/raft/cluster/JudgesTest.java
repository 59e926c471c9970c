package dev.kvorum.raft.cluster;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.MemoryLog;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.raft.RawNode;
import dev.kvorum.raft.Ready;
import dev.kvorum.raft.Snapshot;
import java.util.List;
import java.util.SplittableRandom;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// The judges of [RandomClusterTest] see each promise being broken. Here each is, by nodes that know nothing of each
/// other.
class JudgesTest {
  private final Judges judges = new Judges();

  /// The only voter of its own world, elected in `term` on top of `entries` entries of term 1.
  private static RawNode leader(long id, long term, int entries) {
    MemoryLog log = new MemoryLog();
    log.applySnapshot(new Snapshot(Bytes.EMPTY, ConfState.of(List.of(id), List.of()), 0, 0));
    for (int index = 1; index <= entries; index++) {
      log.append(List.of(entry(1, index, "old")));
    }
    log.setHardState(new HardState(term - 1, 0, 0));
    RawNode node = new RawNode(RaftConfig.of(id, 10, 1, log, new SplittableRandom(id)));
    node.campaign();
    while (node.hasReady()) {
      Ready ready = node.ready();
      log.append(ready.entries());
      if (!ready.hardState().isEmpty()) {
        log.setHardState(ready.hardState());
      }
      node.advance();
    }
    return node;
  }

  private static Entry entry(long term, long index, String data) {
    return Entry.normal(term, index, Bytes.utf8(data));
  }

  private static void assertObjection(String promise, ThrowingCallable sight) {
    assertThatThrownBy(sight).isInstanceOf(AssertionError.class).hasMessageContaining(promise);
  }

  /// Raft paper figure 3: at most one leader can be elected in a given term.
  @Test
  void twoLeadersOfATermAreSeen() {
    judges.sawLeader(leader(1, 2, 0));
    judges.sawLeader(leader(2, 3, 0));
    assertObjection("election safety", () -> judges.sawLeader(leader(2, 2, 0)));
  }

  /// Raft paper figure 3: a leader only ever adds to its log.
  @Test
  void aLeaderThatShortensItsLogIsSeen() {
    judges.sawLeader(leader(1, 2, 3));
    assertObjection("leader append-only", () -> judges.sawLeader(leader(1, 2, 2)));
  }

  /// Raft paper figure 3: logs that agree on one index and term agree on everything up to there.
  @Test
  void logsThatDifferWhereTheyShouldMatchAreSeen() {
    judges.sawWritten(entry(2, 5, "a"), 1);
    judges.sawWritten(entry(3, 5, "b"), 2);
    assertObjection("log matching", () -> judges.sawWritten(entry(2, 5, "b"), 1));
    assertObjection("log matching", () -> judges.sawWritten(entry(2, 5, "a"), 2));
  }

  /// Raft paper figure 3: what is committed is in the logs of all later leaders.
  @Test
  void aLeaderThatLacksWhatIsCommittedIsSeen() {
    judges.sawCommitted(1, entry(1, 1, "old"));
    judges.sawLeader(leader(2, 2, 1));
    assertObjection("leader completeness", () -> judges.sawLeader(leader(2, 3, 0)));
  }

  /// Raft paper figure 3: no two state machines apply different entries at one index.
  @Test
  void anotherEntryAppliedAtAnIndexIsSeen() {
    judges.sawCommitted(1, entry(1, 1, "a"));
    judges.sawCommitted(2, entry(1, 1, "a"));
    assertObjection("state machine safety", () -> judges.sawCommitted(3, entry(1, 1, "b")));
  }

  /// Raft thesis §6.4: a read sees everything that was committed when it was asked for.
  @Test
  void aReadOfThePastIsSeen() {
    judges.sawRead(4, 4);
    assertObjection("linearizable read", () -> judges.sawRead(5, 4));
  }
}
