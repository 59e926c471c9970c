package dev.kvorum.raft.bench;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.MemoryLog;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.raft.RawNode;
import dev.kvorum.raft.Ready;
import dev.kvorum.raft.Snapshot;
import java.util.ArrayDeque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// A node under etcd's limits and rules, and what its owner does for it: the log in memory is kept and pruned as a
/// member keeps it. Disk and state machine take no time, but each of their reports is a turn of its own, as when the
/// member is not busy.
final class DrivenNode {
  /// A member's default: what stays in memory for members that are behind, and how often the rest is dropped.
  private static final long KEPT_ENTRIES = 5_000;

  private static final long PRUNE_EVERY_ENTRIES = 100;

  private final ConfState voters;
  private final RawNode node;
  private final boolean asynchronous;
  private final MemoryLog log = new MemoryLog();
  private final ArrayDeque<Message.StorageAppend> saving = new ArrayDeque<>();
  private final ArrayDeque<Message.StorageApply> applying = new ArrayDeque<>();
  private final ArrayDeque<Message> outbox = new ArrayDeque<>();
  private long prunedAt;

  /// @param members how many vote: ids from 1 on
  /// @param asynchronous whether storage is written beside raft, as a member does it
  DrivenNode(long id, int members, boolean asynchronous) {
    this.asynchronous = asynchronous;
    voters = ConfState.of(LongStream.rangeClosed(1, members).boxed().toList(), List.of());
    log.applySnapshot(new Snapshot(Bytes.EMPTY, voters, 0, 0));
    RaftConfig config = RaftConfig.of(id, 10, 1, log, new SplittableRandom(id));
    node = new RawNode(config.withRules(config.rules().withAsyncStorageWrites(asynchronous)));
  }

  RawNode node() {
    return node;
  }

  /// A message for another member, in the order in which they left; null when there is none.
  @Nullable Message takeSent() {
    return outbox.poll();
  }

  /// Takes a message from another member, and does all that follows from it but delivering what is sent.
  void take(Message message) {
    node.step(message);
    settle();
  }

  /// Does all that the node wants done.
  void settle() {
    endTurn();
    while (true) {
      Message.StorageAppend saved = saving.poll();
      if (saved != null) {
        save(saved.hardState(), saved.entries());
        stepOwn(saved.responses());
      } else {
        Message.StorageApply applied = applying.poll();
        if (applied == null) {
          return;
        }
        stepOwn(applied.responses());
        applied(applied.entries());
      }
      endTurn();
    }
  }

  private void endTurn() {
    while (node.hasReady()) {
      Ready ready = node.ready();
      if (!asynchronous) {
        save(ready.hardState(), ready.entries());
      }
      for (Message message : ready.messages()) {
        switch (message) {
          case Message.StorageAppend append -> saving.add(append);
          case Message.StorageApply apply -> applying.add(apply);
          default -> outbox.add(message);
        }
      }
      if (!asynchronous) {
        node.advance();
        applied(ready.committedEntries());
      }
    }
  }

  private void save(HardState hardState, List<Entry> entries) {
    if (!entries.isEmpty()) {
      log.append(entries);
    }
    if (!hardState.isEmpty()) {
      log.setHardState(hardState);
    }
  }

  private void stepOwn(List<Message> responses) {
    for (Message response : responses) {
      if (response.to() == node.id()) {
        node.step(response);
      } else {
        outbox.add(response);
      }
    }
  }

  private void applied(List<Entry> entries) {
    if (entries.isEmpty()) {
      return;
    }
    long index = entries.get(entries.size() - 1).index();
    if (index - prunedAt >= PRUNE_EVERY_ENTRIES) {
      prunedAt = index;
      if (index - KEPT_ENTRIES >= log.firstIndex()) {
        log.createSnapshot(index, voters, Bytes.EMPTY);
        log.compact(index - KEPT_ENTRIES);
      }
    }
  }

  /// @throws AssertionError unless everything up to `index`, the end of the log, is committed and applied
  void checkDone(long index) {
    if (node.lastIndex() != index || node.committed() != index || node.applied() != index) {
      throw new AssertionError(
          "not done up to " + index + ": last " + node.lastIndex() + ", committed " + node.committed() + ", applied "
              + node.applied());
    }
  }

  /// How many entries the log keeps in memory.
  long keptEntries() {
    return log.lastIndex() - log.firstIndex() + 1;
  }
}
