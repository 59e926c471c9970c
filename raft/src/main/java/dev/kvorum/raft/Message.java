package dev.kvorum.raft;

import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.List;

/// What members say to each other, and (the `Storage…` family) what a node says to its own storage.
///
/// One record for each meaning, so that no field changes sense with a type. Ids are unsigned; id 0 is nobody. `term` 0
/// means the message carries none. The number in each comment is etcd's `raftpb.MessageType`.
public sealed interface Message {
  long to();

  long from();

  long term();

  /// Its kind, as etcd numbers and names it.
  default MessageType type() {
    return MessageType.of(this);
  }

  /// A candidate asking for a vote, or rehearsing it. `context` is etcd's `CampaignTransfer` when a leadership transfer
  /// overrides leases.
  sealed interface VoteRequest extends Message {
    long lastTerm();

    long lastIndex();

    Bytes context();
  }

  /// The answer to a [VoteRequest].
  sealed interface VoteAnswer extends Message {
    boolean reject();
  }

  /// The destination of [StorageAppend] and the source of its response (2^64-1).
  long APPEND_THREAD = -1L;

  /// The destination of [StorageApply] and the source of its response (2^64-2).
  long APPLY_THREAD = -2L;

  /// 0, local: start an election.
  record Hup(long to, long from) implements Message {
    @Override
    public long term() {
      return 0;
    }
  }

  /// 1, local: send heartbeats.
  record Beat(long to, long from) implements Message {
    @Override
    public long term() {
      return 0;
    }
  }

  /// 2: proposals for the leader; never carries a term.
  record Propose(long to, long from, List<Entry> entries) implements Message {
    public Propose {
      entries = Entries.frozen(entries);
    }

    @Override
    public long term() {
      return 0;
    }
  }

  /// 3: entries after (`prevIndex`, `prevTerm`), and how far the log is committed.
  record Append(long to, long from, long term, long prevTerm, long prevIndex, List<Entry> entries, long commit)
      implements Message {
    public Append {
      entries = Entries.frozen(entries);
    }
  }

  /// 4: `index` is the last matching index, or on `reject` the refused prevIndex, with the follower's hint where
  /// its log may still match.
  record AppendResponse(long to, long from, long term, long index, boolean reject, long hintTerm, long hintIndex)
      implements Message {}

  /// 5: the candidate's last entry, and whether a leadership transfer overrides leases.
  record Vote(long to, long from, long term, long lastTerm, long lastIndex, Bytes context) implements VoteRequest {}

  /// 6
  record VoteResponse(long to, long from, long term, boolean reject) implements VoteAnswer {}

  /// 7
  record InstallSnapshot(long to, long from, long term, Snapshot snapshot) implements Message {}

  /// 8: `context` is the read round it confirms, empty when none; echoed byte for byte.
  record Heartbeat(long to, long from, long term, long commit, Bytes context) implements Message {}

  /// 9
  record HeartbeatResponse(long to, long from, long term, Bytes context) implements Message {}

  /// 10, local: `from` could not be reached.
  record Unreachable(long to, long from) implements Message {
    @Override
    public long term() {
      return 0;
    }
  }

  /// 11, local: how sending a snapshot to `from` ended.
  record SnapshotStatus(long to, long from, boolean reject) implements Message {
    @Override
    public long term() {
      return 0;
    }
  }

  /// 12, local
  record CheckQuorum(long to, long from) implements Message {
    @Override
    public long term() {
      return 0;
    }
  }

  /// 13: `from` is the transferee.
  record TransferLeader(long to, long from, long term) implements Message {}

  /// 14
  record TimeoutNow(long to, long from, long term) implements Message {}

  /// 15: never carries a term; `context` names the read.
  record ReadIndex(long to, long from, Bytes context) implements Message {
    @Override
    public long term() {
      return 0;
    }
  }

  /// 16: the read named `context` may be served once `index` is applied.
  record ReadIndexResponse(long to, long from, long term, long index, Bytes context) implements Message {}

  /// 17
  record PreVote(long to, long from, long term, long lastTerm, long lastIndex, Bytes context) implements VoteRequest {}

  /// 18
  record PreVoteResponse(long to, long from, long term, boolean reject) implements VoteAnswer {}

  /// 19, to the log: persist these, then deliver `responses`. Term, vote and commit are one hard state, empty when
  /// unchanged; the snapshot is empty when none (Raft thesis §10.2.1).
  record StorageAppend(
      long to, long from, List<Entry> entries, HardState hardState, Snapshot snapshot, List<Message> responses)
      implements Message {
    public StorageAppend {
      entries = Entries.frozen(entries);
      responses = List.copyOf(responses);
    }

    /// The same, with `more` to be sent as well once it is done.
    public StorageAppend before(List<? extends Message> more) {
      if (more.isEmpty()) {
        return this;
      }
      List<Message> all = new ArrayList<>(responses);
      all.addAll(more);
      return new StorageAppend(to, from, entries, hardState, snapshot, all);
    }

    @Override
    public long term() {
      return 0;
    }
  }

  /// 20, from the log: stable up to (`lastTerm`, `lastIndex`); index 0 when only a snapshot was.
  record StorageAppendResponse(long to, long from, long term, long lastTerm, long lastIndex, Snapshot snapshot)
      implements Message {}

  /// 21, to the state machine: apply these, then deliver `responses`.
  record StorageApply(long to, long from, List<Entry> entries, List<Message> responses) implements Message {
    public StorageApply {
      entries = Entries.frozen(entries);
      responses = List.copyOf(responses);
    }

    @Override
    public long term() {
      return 0;
    }
  }

  /// 22, from the state machine
  record StorageApplyResponse(long to, long from, List<Entry> entries) implements Message {
    public StorageApplyResponse {
      entries = Entries.frozen(entries);
    }

    @Override
    public long term() {
      return 0;
    }
  }

  /// 23, local
  record ForgetLeader(long to, long from) implements Message {
    @Override
    public long term() {
      return 0;
    }
  }
}
