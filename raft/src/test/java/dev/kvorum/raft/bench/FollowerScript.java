package dev.kvorum.raft.bench;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The leader of a follower: each batch of entries comes in one append, and in the next that it is committed.
///
/// The appends are made beforehand, since decoding them is the network's work. A script can be played any number of
/// times, each time on a node of its own.
final class FollowerScript {
  private static final long LEADER = 1;
  private static final long FOLLOWER = 2;
  private static final long TERM = 1;

  private final int members;
  private final boolean asynchronous;
  private final List<Message.Append> appends = new ArrayList<>();
  private final List<Message.Append> commits = new ArrayList<>();

  /// @param entries how many are sent in all, in batches of `batch`
  FollowerScript(int members, boolean asynchronous, int entries, int batch, int payloadBytes) {
    this.members = members;
    this.asynchronous = asynchronous;
    Bytes payload = Bytes.wrap(new byte[payloadBytes]);
    for (int i = 0; i < entries / batch; i++) {
      prepare(1 + (long) i * batch, batch, payload);
    }
  }

  private void prepare(long prevIndex, int batch, Bytes payload) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 1; i <= batch; i++) {
      entries.add(Entry.normal(TERM, prevIndex + i, payload));
    }
    long last = prevIndex + batch;
    appends.add(new Message.Append(FOLLOWER, LEADER, TERM, TERM, prevIndex, entries, prevIndex));
    commits.add(new Message.Append(FOLLOWER, LEADER, TERM, TERM, last, List.of(), last));
  }

  /// A follower that has applied the empty entry with which the leader's term begins.
  DrivenNode following() {
    DrivenNode follower = new DrivenNode(FOLLOWER, members, asynchronous);
    List<Entry> first = List.of(Entry.normal(TERM, 1, Bytes.EMPTY));
    follower.take(new Message.Append(FOLLOWER, LEADER, TERM, 0, 0, first, 1));
    follower.takeSent();
    follower.checkDone(1);
    return follower;
  }

  /// Takes in everything; each batch is applied before the next.
  ///
  /// @param network is given what the follower sends
  /// @return the last index
  long play(DrivenNode follower, Consumer<Message> network) {
    for (int i = 0; i < appends.size(); i++) {
      Message.Append commit = commits.get(i);
      follower.take(appends.get(i));
      acknowledged(follower, commit.prevIndex(), network);
      follower.take(commit);
      acknowledged(follower, commit.prevIndex(), network);
      follower.checkDone(commit.prevIndex());
    }
    return follower.node().committed();
  }

  private static void acknowledged(DrivenNode follower, long index, Consumer<Message> network) {
    Message sent = follower.takeSent();
    if (!(sent instanceof Message.AppendResponse answer) || answer.reject() || answer.index() != index) {
      throw new AssertionError("not acknowledged " + index + ": " + sent);
    }
    network.accept(sent);
  }
}
