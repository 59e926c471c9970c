package dev.kvorum.raft;

import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/// One node under test, with id 1; the test plays its peers. Its storage is as fast as can be: [#settle] saves, applies
/// and advances, and collects what left the node.
final class Solo {
  final MemoryLog log = new MemoryLog();
  final RawNode node;
  final List<Message> sent = new ArrayList<>();
  final List<Entry> applied = new ArrayList<>();
  final List<ReadState> reads = new ArrayList<>();
  private final boolean async;

  private Solo(List<Long> voters, List<Long> learners, long term, long[] entryTerms, UnaryOperator<RaftConfig> config) {
    log.applySnapshot(new Snapshot(Bytes.EMPTY, ConfState.of(voters, learners), 0, 0));
    for (int i = 0; i < entryTerms.length; i++) {
      log.append(List.of(Entry.normal(entryTerms[i], i + 1, Bytes.utf8("old" + (i + 1)))));
    }
    if (term > 0) {
      log.setHardState(new HardState(term, 0, 0));
    }
    RaftConfig plain =
        RaftConfig.of(1, 10, 1, log, new SplittableRandom(1)).withRules(RaftConfig.Rules.PLAIN);
    RaftConfig chosen = config.apply(plain);
    async = chosen.rules().asyncStorageWrites();
    node = new RawNode(chosen);
    settle();
  }

  static List<Long> ids(int count) {
    List<Long> ids = new ArrayList<>();
    for (long id = 1; id <= count; id++) {
      ids.add(id);
    }
    return ids;
  }

  /// A node among voters 1 to `voters`.
  static Solo among(int voters) {
    return among(voters, c -> c);
  }

  static Solo among(int voters, UnaryOperator<RaftConfig> config) {
    return new Solo(ids(voters), List.of(), 0, new long[0], config);
  }

  static Solo with(List<Long> voters, List<Long> learners, UnaryOperator<RaftConfig> config) {
    return new Solo(voters, learners, 0, new long[0], config);
  }

  /// A node among three whose log holds entries of these terms, and that is at `term`.
  static Solo withLog(long term, long... entryTerms) {
    return new Solo(ids(3), List.of(), term, entryTerms, c -> c);
  }

  static UnaryOperator<RaftConfig> rules(UnaryOperator<RaftConfig.Rules> change) {
    return config -> config.withRules(change.apply(config.rules()));
  }

  static UnaryOperator<RaftConfig> limits(RaftConfig.Limits limits) {
    return config -> config.withLimits(limits);
  }

  /// Does all that the node wants done.
  Solo settle() {
    while (node.hasReady()) {
      Ready ready = node.ready();
      if (!async) {
        save(ready.hardState(), ready.entries(), ready.snapshot());
      }
      for (Message message : ready.messages()) {
        handle(message);
      }
      reads.addAll(ready.readStates());
      if (!async) {
        apply(ready.committedEntries());
        node.advance();
      }
    }
    return this;
  }

  private void handle(Message message) {
    switch (message) {
      case Message.StorageAppend m -> {
        save(m.hardState(), m.entries(), m.snapshot());
        m.responses().forEach(this::route);
      }
      case Message.StorageApply m -> {
        apply(m.entries());
        m.responses().forEach(this::route);
      }
      default -> sent.add(message);
    }
  }

  private void route(Message message) {
    if (message.to() == 1) {
      node.step(message);
    } else {
      sent.add(message);
    }
  }

  private void save(HardState hardState, List<Entry> entries, Snapshot snapshot) {
    if (!snapshot.isEmpty()) {
      log.applySnapshot(snapshot);
    }
    log.append(entries);
    if (!hardState.isEmpty()) {
      log.setHardState(hardState);
    }
  }

  private void apply(List<Entry> entries) {
    for (Entry entry : entries) {
      applied.add(entry);
      if (entry.type() != EntryType.NORMAL) {
        node.applyConfChange(ConfChangeCodec.decode(entry));
      }
    }
  }

  /// Steps messages, then settles.
  Solo take(Message... messages) {
    for (Message message : messages) {
      node.step(message);
    }
    return settle();
  }

  Solo tick(int times) {
    for (int i = 0; i < times; i++) {
      node.tick();
    }
    return settle();
  }

  /// Campaigns and wins with everybody's votes.
  Solo lead() {
    node.campaign();
    settle();
    for (long voter : node.confState().voters()) {
      if (node.state() == RaftState.PRE_CANDIDATE && voter != 1) {
        take(new Message.PreVoteResponse(1, voter, node.term() + 1, false));
      }
    }
    for (long voter : node.confState().voters()) {
      if (node.state() == RaftState.CANDIDATE && voter != 1) {
        take(new Message.VoteResponse(1, voter, node.term(), false));
      }
    }
    if (!node.isLeader()) {
      throw new AssertionError("not elected: " + node.status());
    }
    return this;
  }

  /// Leads, and everybody acknowledged the empty entry.
  Solo leadAndCommit() {
    lead();
    for (long voter : node.confState().voters()) {
      if (voter != 1) {
        acknowledge(voter, node.lastIndex());
      }
    }
    for (long learner : node.confState().learners()) {
      acknowledge(learner, node.lastIndex());
    }
    sent.clear();
    return this;
  }

  Solo acknowledge(long from, long index) {
    return take(new Message.AppendResponse(1, from, node.term(), index, false, 0, 0));
  }

  Solo propose(String data) {
    node.propose(Bytes.utf8(data));
    return settle();
  }

  /// What was sent since the last call.
  List<Message> takeSent() {
    List<Message> taken = List.copyOf(sent);
    sent.clear();
    return taken;
  }

  <T extends Message> List<T> takeSent(Class<T> kind) {
    return takeSent().stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /// The terms of the log's entries, saved ones.
  List<Long> logTerms() {
    List<Long> terms = new ArrayList<>();
    for (long i = log.firstIndex(); i <= log.lastIndex(); i++) {
      terms.add(log.term(i));
    }
    return terms;
  }

  static List<Entry> entries(long firstIndex, long... terms) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < terms.length; i++) {
      entries.add(Entry.normal(terms[i], firstIndex + i, Bytes.utf8("new" + (firstIndex + i))));
    }
    return entries;
  }
}
