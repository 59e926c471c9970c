package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.quorum.Acks;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Linearizable reads without log entries (Raft thesis §6.4): a leader notes its commit index, makes sure that it still
/// leads, and answers with that index.
///
/// Reads are numbered in the order they came. Each heartbeat carries the number of the newest open one, as eight bytes,
/// little-endian; a response echoes them, and so confirms that read and every earlier one for its sender. Where a
/// quorum has confirmed number n, all reads up to n are answered. Example: reads 4, 5 and 6 are open, voters 1 (we),
/// 2 and 3 have confirmed 6, 5 and 0: a quorum confirmed 5, so 4 and 5 are answered.
final class Reads {
  private record Open(Message.ReadIndex request, long index) {}

  private final Raft raft;
  private final Map<Long, Long> confirmedBy = new HashMap<>();
  private final Acks acks = id -> confirmedBy.getOrDefault(id, 0L);
  private final ArrayDeque<Open> open = new ArrayDeque<>();
  private List<Message.ReadIndex> beforeFirstCommit = new ArrayList<>();
  private long confirmed;

  Reads(Raft raft) {
    this.raft = raft;
  }

  /// Whoever asked must ask again: after a change of term or role nothing here can be answered.
  void reset() {
    confirmedBy.clear();
    open.clear();
    beforeFirstCommit = new ArrayList<>();
    confirmed = 0;
  }

  void onReadIndex(Message.ReadIndex request) {
    switch (raft.state()) {
      case LEADER -> lead(request);
      case FOLLOWER -> forward(request);
      case CANDIDATE, PRE_CANDIDATE -> {
        // Nobody to ask; the reader asks again.
      }
    }
  }

  private void forward(Message.ReadIndex request) {
    if (raft.lead() == 0) {
      raft.info(() -> hex(raft.id) + " no leader at term " + raft.term() + "; dropping index reading msg");
      return;
    }
    long from = request.from() == 0 ? raft.id : request.from();
    raft.send(new Message.ReadIndex(raft.lead(), from, request.context()));
  }

  private void lead(Message.ReadIndex request) {
    if (!raft.replication.hasCommittedInTerm()) {
      // Until then we do not know how far our predecessors committed. That includes ourselves before a restart, for the
      // commit index is not synced: so even a lone voter waits here, where etcd's answers at once.
      beforeFirstCommit.add(request);
    } else {
      confirmLeadership(request);
    }
  }

  private void confirmLeadership(Message.ReadIndex request) {
    if (raft.isLoneVoter()) {
      answer(request, raft.log.committed());
      return;
    }
    switch (raft.rules.readOnlyOption()) {
      case SAFE -> {
        open.add(new Open(request, raft.log.committed()));
        onAck(raft.id, openRound());
        raft.replication.broadcastHeartbeat();
      }
      case LEASE_BASED -> answer(request, raft.log.committed());
    }
  }

  /// An entry of this term is committed: reads that waited for it go on.
  void releasePending() {
    if (beforeFirstCommit.isEmpty() || !raft.replication.hasCommittedInTerm()) {
      return;
    }
    List<Message.ReadIndex> waiting = beforeFirstCommit;
    beforeFirstCommit = new ArrayList<>();
    waiting.forEach(this::confirmLeadership);
  }

  /// What heartbeats carry now: empty when no read is open.
  Bytes openRound() {
    if (open.isEmpty()) {
      return Bytes.EMPTY;
    }
    long round = confirmed + open.size();
    byte[] littleEndian = new byte[Long.BYTES];
    for (int i = 0; i < Long.BYTES; i++) {
      littleEndian[i] = (byte) (round >>> (8 * i));
    }
    return Bytes.wrap(littleEndian);
  }

  /// `from` heard us say `round`. A context of another shape is no round of ours.
  void onAck(long from, Bytes round) {
    if (raft.rules.readOnlyOption() != ReadOnlyOption.SAFE || round.size() != Long.BYTES) {
      return;
    }
    long number = 0;
    for (int i = Long.BYTES - 1; i >= 0; i--) {
      number = number << 8 | (round.at(i) & 0xFF);
    }
    if (number < 0 || number > confirmed + open.size()) {
      return;
    }
    confirmedBy.merge(from, number, Math::max);
    long byQuorum = raft.tracker.configuration().voters().committedIndex(acks);
    while (confirmed < byQuorum && !open.isEmpty()) {
      confirmed++;
      Open read = open.remove();
      answer(read.request(), read.index());
    }
  }

  private void answer(Message.ReadIndex request, long index) {
    if (request.from() == 0 || request.from() == raft.id) {
      raft.answerRead(new ReadState(index, request.context()));
    } else {
      raft.send(
          new Message.ReadIndexResponse(request.from(), raft.id, raft.term(), index, request.context()));
    }
  }

  void onReadIndexResponse(Message.ReadIndexResponse message) {
    if (raft.state() == RaftState.FOLLOWER) {
      raft.answerRead(new ReadState(message.index(), message.context()));
    }
  }
}
