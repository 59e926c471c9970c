package dev.kvorum.raft.script;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.LogStorage;
import dev.kvorum.raft.MemoryLog;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.raft.RawNode;
import dev.kvorum.raft.Snapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;

/// One node of a script: the raw node, its storage, and a state machine that appends whatever it applies to one string
/// and keeps every state as a snapshot.
final class Actor implements LogStorage {
  final long id;
  final MemoryLog log = new MemoryLog();
  final RaftConfig config;
  final RawNode node;
  final Deque<Message.StorageAppend> appendWork = new ArrayDeque<>();
  final Deque<Message.StorageApply> applyWork = new ArrayDeque<>();
  private final List<Snapshot> history = new ArrayList<>();

  Actor(long id, Snapshot start, UnaryOperator<RaftConfig> settings) {
    this.id = id;
    if (start.index() != 0) {
      log.applySnapshot(start);
    }
    history.add(start);
    config = settings.apply(RaftConfig.of(id, 3, 1, this, new Random(id)).withApplied(start.index()));
    node = new RawNode(config);
  }

  void persist(HardState hardState, List<Entry> entries, Snapshot snapshot) {
    if (!hardState.isEmpty()) {
      log.setHardState(hardState);
    }
    if (!snapshot.isEmpty()) {
      if (!entries.isEmpty()) {
        throw new ScriptException("can't apply snapshot and entries at the same time");
      }
      if (!log.applySnapshot(snapshot)) {
        throw new ScriptException("requested index is older than the existing snapshot");
      }
      return;
    }
    log.append(entries);
  }

  void apply(List<Entry> entries) {
    for (Entry entry : entries) {
      Snapshot last = history.getLast();
      ConfState state = last.confState();
      Bytes payload = entry.data();
      if (entry.type() != EntryType.NORMAL) {
        ConfChange change = ConfChangeCodec.decode(entry);
        payload = change.context();
        state = node.applyConfChange(change);
      }
      byte[] data = Arrays.copyOf(last.data().array(), last.data().size() + payload.size());
      System.arraycopy(payload.array(), 0, data, last.data().size(), payload.size());
      history.add(new Snapshot(Bytes.wrap(data), state, entry.index(), entry.term()));
    }
  }

  @Override
  public Snapshot snapshot() {
    return history.getLast();
  }

  @Override
  public InitialState initialState() {
    return log.initialState();
  }

  @Override
  public List<Entry> entries(long low, long high, long bytesMax) {
    return log.entries(low, high, bytesMax);
  }

  @Override
  public long term(long index) {
    return log.term(index);
  }

  @Override
  public long firstIndex() {
    return log.firstIndex();
  }

  @Override
  public long lastIndex() {
    return log.lastIndex();
  }
}
