package dev.kvorum.wal;

import static dev.kvorum.api.ProtoWriter.bytesAlwaysSize;
import static dev.kvorum.api.ProtoWriter.bytesSize;
import static dev.kvorum.api.ProtoWriter.flagSize;
import static dev.kvorum.api.ProtoWriter.numberAlwaysSize;
import static dev.kvorum.api.ProtoWriter.numberSize;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.Message.InstallSnapshot;
import dev.kvorum.raft.Message.PreVote;
import dev.kvorum.raft.Message.PreVoteResponse;
import dev.kvorum.raft.Message.Propose;
import dev.kvorum.raft.Message.ReadIndex;
import dev.kvorum.raft.Message.ReadIndexResponse;
import dev.kvorum.raft.Message.TimeoutNow;
import dev.kvorum.raft.Message.TransferLeader;
import dev.kvorum.raft.Message.Vote;
import dev.kvorum.raft.Message.VoteResponse;
import dev.kvorum.raft.Snapshot;
import java.util.ArrayList;
import java.util.List;

/// raftpb.Message: what members send each other.
///
/// One protobuf message serves all types, its fields changing sense with the type; here each type's fields are named
/// once, in [#encode] and in [#decode]. Which fields are present, zero or not, is what etcd 3.7's raft sets: an append
/// always says index 0, a heartbeat never does. Types that only a node and its own storage exchange do not travel:
/// encoding one is our bug, decoding one is the sender's.
///
/// ```text
/// 1 type 2 to 3 from 4 term 5 logTerm 6 index 7 entries 8 commit 9 snapshot 10 reject 11 rejectHint 12 context 13 vote
/// ```
public final class MessageCodec {
  private MessageCodec() {}

  private static final int PROPOSE = 2;
  private static final int APPEND = 3;
  private static final int APPEND_RESPONSE = 4;
  private static final int VOTE = 5;
  private static final int VOTE_RESPONSE = 6;
  private static final int SNAPSHOT = 7;
  private static final int HEARTBEAT = 8;
  private static final int HEARTBEAT_RESPONSE = 9;
  private static final int TRANSFER_LEADER = 13;
  private static final int TIMEOUT_NOW = 14;
  private static final int READ_INDEX = 15;
  private static final int READ_INDEX_RESPONSE = 16;
  private static final int PRE_VOTE = 17;
  private static final int PRE_VOTE_RESPONSE = 18;

  /// The message that keeps an idle link alive: a heartbeat from nobody to nobody. Receivers drop it.
  public static final Heartbeat LINK_HEARTBEAT = new Heartbeat(0, 0, 0, 0, Bytes.EMPTY);

  /// @throws dev.kvorum.env.InvariantViolation for a message that never leaves its member
  public static byte[] encode(Message message) {
    return fields(message).encode();
  }

  private static Fields fields(Message message) {
    return switch (message) {
      case Propose m -> new Fields(PROPOSE, m).entries(m.entries());
      case Append m -> new Fields(APPEND, m)
          .logTerm(m.prevTerm()).index(m.prevIndex()).entries(m.entries()).commit(m.commit());
      case AppendResponse m when m.reject() -> new Fields(APPEND_RESPONSE, m)
          .logTerm(m.hintTerm()).index(m.index()).reject().rejectHint(m.hintIndex());
      case AppendResponse m when m.index() == 0 -> new Fields(APPEND_RESPONSE, m);
      case AppendResponse m -> new Fields(APPEND_RESPONSE, m).index(m.index());
      case Vote m -> new Fields(VOTE, m).logTerm(m.lastTerm()).index(m.lastIndex()).context(m.context());
      case VoteResponse m -> new Fields(VOTE_RESPONSE, m).reject(m.reject());
      case InstallSnapshot m -> new Fields(SNAPSHOT, m).snapshot(m.snapshot());
      case Heartbeat m when m.to() == 0 && m.from() == 0 -> new Fields(HEARTBEAT, m);
      case Heartbeat m -> new Fields(HEARTBEAT, m).commit(m.commit()).context(m.context());
      case HeartbeatResponse m -> new Fields(HEARTBEAT_RESPONSE, m).context(m.context());
      case TransferLeader m -> new Fields(TRANSFER_LEADER, m);
      case TimeoutNow m -> new Fields(TIMEOUT_NOW, m);
      case ReadIndex m -> new Fields(READ_INDEX, m).entries(List.of(read(m.context())));
      case ReadIndexResponse m -> new Fields(READ_INDEX_RESPONSE, m)
          .index(m.index()).entries(List.of(read(m.context())));
      case PreVote m -> new Fields(PRE_VOTE, m).logTerm(m.lastTerm()).index(m.lastIndex()).context(m.context());
      case PreVoteResponse m -> new Fields(PRE_VOTE_RESPONSE, m).reject(m.reject());
      case Message.Hup m -> throw local(m);
      case Message.Beat m -> throw local(m);
      case Message.Unreachable m -> throw local(m);
      case Message.SnapshotStatus m -> throw local(m);
      case Message.CheckQuorum m -> throw local(m);
      case Message.StorageAppend m -> throw local(m);
      case Message.StorageAppendResponse m -> throw local(m);
      case Message.StorageApply m -> throw local(m);
      case Message.StorageApplyResponse m -> throw local(m);
      case Message.ForgetLeader m -> throw local(m);
    };
  }

  private static RuntimeException local(Message message) {
    return Invariant.unreachable("a message that never leaves its member: " + message.getClass().getSimpleName());
  }

  /// A read's name travels as the data of an entry that is none.
  private static Entry read(Bytes context) {
    return new Entry(EntryType.NORMAL, 0, 0, context);
  }

  /// @throws WireFormatException for bytes that are no message, and for types that never travel
  public static Message decode(byte[] bytes) throws WireFormatException {
    return decode(bytes, 0, bytes.length);
  }

  /// As [#decode(byte[])], of part of an array.
  public static Message decode(byte[] bytes, int offset, int length) throws WireFormatException {
    Fields m = Fields.decode(new ProtoReader(bytes, offset, offset + length));
    return switch (m.type) {
      case PROPOSE -> new Propose(m.to, m.from, m.entries);
      case APPEND -> new Append(m.to, m.from, m.term, m.logTerm, m.index, m.entries, m.commit);
      case APPEND_RESPONSE -> new AppendResponse(m.to, m.from, m.term, m.index, m.reject, m.logTerm, m.rejectHint);
      case VOTE -> new Vote(m.to, m.from, m.term, m.logTerm, m.index, m.context);
      case VOTE_RESPONSE -> new VoteResponse(m.to, m.from, m.term, m.reject);
      case SNAPSHOT -> new InstallSnapshot(m.to, m.from, m.term, m.snapshot);
      case HEARTBEAT -> new Heartbeat(m.to, m.from, m.term, m.commit, m.context);
      case HEARTBEAT_RESPONSE -> new HeartbeatResponse(m.to, m.from, m.term, m.context);
      case TRANSFER_LEADER -> new TransferLeader(m.to, m.from, m.term);
      case TIMEOUT_NOW -> new TimeoutNow(m.to, m.from, m.term);
      case READ_INDEX -> new ReadIndex(m.to, m.from, m.readContext());
      case READ_INDEX_RESPONSE -> new ReadIndexResponse(m.to, m.from, m.term, m.index, m.readContext());
      case PRE_VOTE -> new PreVote(m.to, m.from, m.term, m.logTerm, m.index, m.context);
      case PRE_VOTE_RESPONSE -> new PreVoteResponse(m.to, m.from, m.term, m.reject);
      default -> throw new WireFormatException("raft message of type " + m.type + " from the network");
    };
  }

  /// The message as raftpb has it: every field, and which are present.
  private static final class Fields {
    private int type;
    private long to;
    private long from;
    private long term;
    private long logTerm;
    private long index;
    private List<Entry> entries = List.of();
    private long commit;
    private Snapshot snapshot = Snapshot.EMPTY;
    private boolean reject;
    private long rejectHint;
    private Bytes context = Bytes.EMPTY;
    private boolean hasLogTerm;
    private boolean hasIndex;
    private boolean hasCommit;
    private boolean hasSnapshot;
    private boolean hasRejectHint;

    private Fields() {}

    Fields(int type, Message message) {
      this.type = type;
      to = message.to();
      from = message.from();
      term = message.term();
    }

    Fields logTerm(long value) {
      logTerm = value;
      hasLogTerm = true;
      return this;
    }

    Fields index(long value) {
      index = value;
      hasIndex = true;
      return this;
    }

    Fields entries(List<Entry> value) {
      entries = value;
      return this;
    }

    Fields commit(long value) {
      commit = value;
      hasCommit = true;
      return this;
    }

    Fields snapshot(Snapshot value) {
      snapshot = value;
      hasSnapshot = true;
      return this;
    }

    Fields reject() {
      return reject(true);
    }

    Fields reject(boolean value) {
      reject = value;
      return this;
    }

    Fields rejectHint(long value) {
      rejectHint = value;
      hasRejectHint = true;
      return this;
    }

    Fields context(Bytes value) {
      context = value;
      return this;
    }

    Bytes readContext() throws WireFormatException {
      if (entries.size() != 1) {
        throw new WireFormatException("raft read index message with " + entries.size() + " contexts");
      }
      return entries.getFirst().data();
    }

    private int size() {
      int size = numberAlwaysSize(1, type) + numberSize(2, to) + numberSize(3, from) + numberSize(4, term);
      size += hasLogTerm ? numberAlwaysSize(5, logTerm) : 0;
      size += hasIndex ? numberAlwaysSize(6, index) : 0;
      for (Entry entry : entries) {
        size = Math.addExact(size, bytesAlwaysSize(7, RaftCodec.sizeOf(entry)));
      }
      size += hasCommit ? numberAlwaysSize(8, commit) : 0;
      size += hasSnapshot ? bytesAlwaysSize(9, RaftCodec.sizeOf(snapshot)) : 0;
      size += flagSize(10, reject);
      size += hasRejectHint ? numberAlwaysSize(11, rejectHint) : 0;
      return Math.addExact(size, bytesSize(12, context.size()));
    }

    byte[] encode() {
      ProtoWriter out = ProtoWriter.measured(size());
      out.numberAlways(1, type);
      out.number(2, to);
      out.number(3, from);
      out.number(4, term);
      if (hasLogTerm) {
        out.numberAlways(5, logTerm);
      }
      if (hasIndex) {
        out.numberAlways(6, index);
      }
      for (Entry entry : entries) {
        out.head(7, RaftCodec.sizeOf(entry));
        RaftCodec.put(entry, out);
      }
      if (hasCommit) {
        out.numberAlways(8, commit);
      }
      if (hasSnapshot) {
        out.head(9, RaftCodec.sizeOf(snapshot));
        RaftCodec.put(snapshot, out);
      }
      out.flag(10, reject);
      if (hasRejectHint) {
        out.numberAlways(11, rejectHint);
      }
      out.bytes(12, context.array());
      return out.toByteArray();
    }

    static Fields decode(ProtoReader in) throws WireFormatException {
      Fields m = new Fields();
      List<Entry> entries = new ArrayList<>();
      for (int field = in.next(); field != 0; field = in.next()) {
        switch (field) {
          case 1 -> m.type = in.enumNumber();
          case 2 -> m.to = in.number();
          case 3 -> m.from = in.number();
          case 4 -> m.term = in.number();
          case 5 -> m.logTerm = in.number();
          case 6 -> m.index = in.number();
          case 7 -> {
            int outer = in.enter();
            entries.add(RaftCodec.decodeEntry(in));
            in.leave(outer);
          }
          case 8 -> m.commit = in.number();
          case 9 -> {
            int outer = in.enter();
            m.snapshot = RaftCodec.decodeSnapshot(in);
            in.leave(outer);
          }
          case 10 -> m.reject = in.flag();
          case 11 -> m.rejectHint = in.number();
          case 12 -> m.context = Bytes.wrap(in.bytes());
          default -> in.skip();
        }
      }
      m.entries = entries;
      return m;
    }
  }
}
