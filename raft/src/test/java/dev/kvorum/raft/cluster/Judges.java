package dev.kvorum.raft.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Backdoor;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.RawNode;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Sees everything that happens in a cluster and objects when one of Raft's promises is broken (Raft paper, figure 3).
final class Judges {
  private record Position(long index, long term) {}

  private record Content(EntryType type, Bytes data, long previousTerm) {}

  private final Map<Long, Long> leaderOfTerm = new HashMap<>();
  private final Map<Long, Long> leadersLogEnd = new HashMap<>();
  private final Map<Position, Content> written = new HashMap<>();
  private final TreeMap<Long, Entry> committed = new TreeMap<>();
  private long highestCommit;

  /// The last index any node has known to be committed.
  long highestCommit() {
    return highestCommit;
  }

  int committedCount() {
    return committed.size();
  }

  /// Election safety: at most one leader in a term. Leader append-only: its log never gets shorter. Leader
  /// completeness: it holds whatever is committed.
  void sawLeader(RawNode node) {
    Long other = leaderOfTerm.putIfAbsent(node.term(), node.id());
    assertThat(other).as("election safety: leader of term %d", node.term()).isIn(null, node.id());
    Long endBefore = leadersLogEnd.put(node.term(), node.lastIndex());
    assertThat(node.lastIndex())
        .as("leader append-only: %x in term %d", node.id(), node.term())
        .isGreaterThanOrEqualTo(endBefore == null ? 0 : endBefore);
    if (other == null) {
      committed.forEach(
          (index, entry) -> {
            long term = Backdoor.term(node, index);
            if (index > firstKnown(node)) {
              assertThat(term)
                  .as("leader completeness: %x leads term %d, entry %d", node.id(), node.term(), index)
                  .isEqualTo(entry.term());
            }
          });
    }
  }

  private static long firstKnown(RawNode node) {
    long index = node.applied();
    while (index > 0 && Backdoor.term(node, index) >= 0) {
      index--;
    }
    return index;
  }

  /// Log matching: entries of the same index and term are the same, and so is everything before them.
  void sawWritten(Entry entry, long previousTerm) {
    Content content = new Content(entry.type(), entry.data(), previousTerm);
    Content other = written.putIfAbsent(new Position(entry.index(), entry.term()), content);
    if (other != null) {
      assertThat(content).as("log matching at %d/%d", entry.term(), entry.index()).isEqualTo(other);
    }
  }

  /// State machine safety and durability: what was once committed at an index stays the only thing applied there.
  void sawCommitted(long node, Entry entry) {
    Entry other = committed.putIfAbsent(entry.index(), entry);
    if (other != null) {
      assertThat(entry).as("state machine safety: node %x at %d", node, entry.index()).isEqualTo(other);
    }
  }

  void sawCommit(RawNode node) {
    highestCommit = Math.max(highestCommit, node.committed());
  }

  /// Linearizable reads: the answer covers whatever anybody knew committed when the question was asked.
  void sawRead(long askedAt, long answer) {
    assertThat(answer).as("linearizable read").isGreaterThanOrEqualTo(askedAt);
  }
}
