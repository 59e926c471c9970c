package dev.kvorum.raft.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.LogStorage;
import dev.kvorum.raft.MemoryLog;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.raft.RawNode;
import dev.kvorum.raft.ReadState;
import dev.kvorum.raft.Ready;
import dev.kvorum.raft.Snapshot;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A member that can lose power. Its log and its last snapshot survive; its state machine is rebuilt from them. A hard
/// state that need not be synced may be lost with the power.
final class SimulatedNode {
  final long id;
  private final Judges judges;
  private final SplittableRandom random;
  private final RaftConfig.Limits limits;
  private final RaftConfig.Rules rules;
  private final Consumer<Message> network;
  private final MemoryLog disk = new MemoryLog();
  private final LogStorage storage = new SnapshotOnDemand();
  private HardState synced = HardState.EMPTY;

  private @Nullable RawNode node;
  private final Deque<Message.StorageAppend> appendWork = new ArrayDeque<>();
  private final Deque<Message.StorageApply> applyWork = new ArrayDeque<>();
  private ConfState confState = ConfState.EMPTY;
  private long applied;
  private final Map<Bytes, Long> openReads = new HashMap<>();
  int answeredReads;
  boolean mayFail = true;

  SimulatedNode(
      long id,
      Snapshot start,
      Judges judges,
      SplittableRandom random,
      RaftConfig.Limits limits,
      RaftConfig.Rules rules,
      Consumer<Message> network) {
    this.id = id;
    this.judges = judges;
    this.random = random;
    this.limits = limits;
    this.rules = rules;
    this.network = network;
    if (!start.isEmpty()) {
      disk.applySnapshot(start);
    }
    start();
  }

  boolean isUp() {
    return node != null;
  }

  RawNode node() {
    assertThat(node).as("node %x is down", id).isNotNull();
    return node;
  }

  long applied() {
    return applied;
  }

  ConfState confState() {
    return confState;
  }

  void start() {
    Snapshot snapshot = disk.snapshot();
    applied = snapshot.index();
    confState = snapshot.confState();
    RaftConfig config =
        RaftConfig.of(id, 10, 1, storage, random.split())
            .withApplied(applied)
            .withLimits(limits)
            .withRules(rules);
    node = new RawNode(config);
  }

  /// Power fails, between any two steps.
  void crash() {
    node = null;
    appendWork.clear();
    applyWork.clear();
    openReads.clear();
    if (random.nextBoolean()) {
      disk.setHardState(synced);
    }
  }

  void askRead(Bytes context) {
    openReads.put(context, judges.highestCommit());
    node().readIndex(context);
  }

  void observe() {
    RawNode n = node();
    judges.sawCommit(n);
    if (n.isLeader()) {
      judges.sawLeader(n);
    }
  }

  /// Handles one Ready, if there is one; power may fail in the midst of it.
  void work() {
    RawNode n = node();
    if (!n.hasReady()) {
      return;
    }
    Ready ready = n.ready();
    ready.readStates().forEach(this::answerRead);
    if (rules.asyncStorageWrites()) {
      for (Message message : ready.messages()) {
        switch (message) {
          case Message.StorageAppend m -> appendWork.add(m);
          case Message.StorageApply m -> applyWork.add(m);
          default -> network.accept(message);
        }
      }
      return;
    }
    boolean leads = n.isLeader();
    if (leads) {
      // A leader may send while its own disk works (Raft thesis §10.2.1).
      ready.messages().forEach(network);
    }
    if (mayFail && random.nextInt(400) == 0) {
      crash();
      return;
    }
    save(ready.hardState(), ready.entries(), ready.snapshot(), ready.mustSync());
    if (mayFail && random.nextInt(400) == 0) {
      crash();
      return;
    }
    if (!leads) {
      ready.messages().forEach(network);
    }
    apply(ready.committedEntries());
    n.advance();
  }

  void workOnAppends() {
    Message.StorageAppend m = appendWork.poll();
    if (m != null) {
      HardState before = disk.hardState();
      boolean mustSync =
          !m.entries().isEmpty()
              || (!m.hardState().isEmpty()
                  && (m.hardState().term() != before.term() || m.hardState().vote() != before.vote()));
      save(m.hardState(), m.entries(), m.snapshot(), mustSync);
      respond(m.responses());
    }
  }

  void workOnApplies() {
    Message.StorageApply m = applyWork.poll();
    if (m != null) {
      apply(m.entries());
      respond(m.responses());
    }
  }

  private void respond(List<Message> responses) {
    for (Message response : responses) {
      if (response.to() == id) {
        node().step(response);
      } else {
        network.accept(response);
      }
    }
  }

  private void save(HardState hardState, List<Entry> entries, Snapshot snapshot, boolean mustSync) {
    if (!snapshot.isEmpty() && disk.applySnapshot(snapshot)) {
      confState = snapshot.confState();
      applied = snapshot.index();
    }
    disk.append(entries);
    for (Entry entry : entries) {
      judges.sawWritten(entry, disk.term(entry.index() - 1));
    }
    if (!hardState.isEmpty()) {
      disk.setHardState(hardState);
    }
    if (mustSync || !snapshot.isEmpty()) {
      synced = disk.hardState();
    }
  }

  private void apply(List<Entry> entries) {
    for (Entry entry : entries) {
      if (entry.index() <= applied) {
        // A snapshot overtook it.
        continue;
      }
      assertThat(entry.index()).as("node %x applies in order", id).isEqualTo(applied + 1);
      judges.sawCommitted(id, entry);
      if (entry.type() != EntryType.NORMAL) {
        confState = node().applyConfChange(entry.index(), ConfChangeCodec.decode(entry));
      }
      applied = entry.index();
    }
  }

  /// Makes a snapshot of what is applied and saved. With asynchronous writes, what is applied may be ahead of the
  /// commit index on disk.
  private void makeSnapshot() {
    long index = Math.min(applied, disk.hardState().commit());
    if (index == applied && index > disk.snapshot().index()) {
      disk.createSnapshot(index, confState, Bytes.EMPTY);
      // Saving a snapshot syncs what was written before it.
      synced = disk.hardState();
    }
  }

  /// Forgets entries before the snapshot, all or most.
  void compact() {
    makeSnapshot();
    long to = disk.snapshot().index() - random.nextInt(3);
    if (to >= disk.firstIndex()) {
      disk.compact(to);
    }
  }

  /// As etcd does, a snapshot for a follower is made when it is asked for: an old one might not know the follower.
  private final class SnapshotOnDemand implements LogStorage {
    @Override
    public Snapshot snapshot() {
      makeSnapshot();
      return disk.snapshot();
    }

    @Override
    public InitialState initialState() {
      return disk.initialState();
    }

    @Override
    public List<Entry> entries(long low, long high, long bytesMax) {
      return disk.entries(low, high, bytesMax);
    }

    @Override
    public long term(long index) {
      return disk.term(index);
    }

    @Override
    public long firstIndex() {
      return disk.firstIndex();
    }

    @Override
    public long lastIndex() {
      return disk.lastIndex();
    }
  }

  private void answerRead(ReadState answer) {
    Long askedAt = openReads.remove(answer.context());
    if (askedAt != null) {
      answeredReads++;
      judges.sawRead(askedAt, answer.index());
    }
  }

}
