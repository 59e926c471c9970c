package dev.kvorum.wal;

import static dev.kvorum.api.ProtoWriter.bytesAlwaysSize;
import static dev.kvorum.api.ProtoWriter.bytesSize;
import static dev.kvorum.api.ProtoWriter.numberAlwaysSize;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntrySize;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Snapshot;
import java.util.ArrayList;
import java.util.List;

/// Raft's records as raftpb bytes, on disk and between members.
///
/// Writes what etcd 3.7 writes: a field is present when 3.7 would have set it, whatever its value. Reads that and what
/// 3.6 and older write, which is every scalar even when zero, and an empty snapshot in every message. Messages between
/// members are in [MessageCodec], conf changes in raft's own [dev.kvorum.raft.ConfChangeCodec].
public final class RaftCodec {
  private RaftCodec() {}

  private static final EntryType[] ENTRY_TYPES = EntryType.values();

  // --- Entry: 1 type, 2 term, 3 index, 4 data ---

  /// The encoded size in bytes; what etcd counts against its message limits.
  public static int sizeOf(Entry entry) {
    return Math.toIntExact(EntrySize.encoded(entry));
  }

  /// Puts an entry's bytes up to its data (at most 32): all of it when the data is empty. @return the position behind
  static int putHead(Entry entry, byte[] target, int at) {
    if (entry.type() != EntryType.NORMAL) {
      target[at++] = 0x08;
      target[at++] = (byte) entry.type().ordinal();
    }
    if (entry.term() != 0) {
      target[at++] = 0x10;
      at = ProtoWriter.putVarint(target, at, entry.term());
    }
    if (entry.index() != 0) {
      target[at++] = 0x18;
      at = ProtoWriter.putVarint(target, at, entry.index());
    }
    int data = entry.data().size();
    if (data != 0) {
      target[at++] = 0x22;
      at = ProtoWriter.putVarint(target, at, data);
    }
    return at;
  }

  /// Writes the fields of an entry, [#sizeOf] bytes.
  static void put(Entry entry, ProtoWriter out) {
    out.number(1, entry.type().ordinal());
    out.number(2, entry.term());
    out.number(3, entry.index());
    out.bytes(4, entry.data().array());
  }

  public static byte[] encode(Entry entry) {
    ProtoWriter out = ProtoWriter.measured(sizeOf(entry));
    put(entry, out);
    return out.toByteArray();
  }

  public static Entry decodeEntry(byte[] bytes) throws WireFormatException {
    return decodeEntry(new ProtoReader(bytes));
  }

  static Entry decodeEntry(ProtoReader in) throws WireFormatException {
    int type = 0;
    long term = 0;
    long index = 0;
    Bytes data = Bytes.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> type = in.enumNumber();
        case 2 -> term = in.number();
        case 3 -> index = in.number();
        case 4 -> data = Bytes.wrap(in.bytes());
        default -> in.skip();
      }
    }
    return new Entry(pick(ENTRY_TYPES, type, "entry type"), term, index, data);
  }

  // --- HardState: 1 term, 2 vote, 3 commit ---

  public static byte[] encode(HardState state) {
    ProtoWriter out = ProtoWriter.measured(numberAlwaysSize(1, state.term()) + numberAlwaysSize(2, state.vote())
        + numberAlwaysSize(3, state.commit()));
    out.numberAlways(1, state.term());
    out.numberAlways(2, state.vote());
    out.numberAlways(3, state.commit());
    return out.toByteArray();
  }

  public static HardState decodeHardState(byte[] bytes) throws WireFormatException {
    return decodeHardState(new ProtoReader(bytes));
  }

  static HardState decodeHardState(ProtoReader in) throws WireFormatException {
    long term = 0;
    long vote = 0;
    long commit = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> term = in.number();
        case 2 -> vote = in.number();
        case 3 -> commit = in.number();
        default -> in.skip();
      }
    }
    return new HardState(term, vote, commit);
  }

  // --- ConfState: 1 voters, 2 learners, 3 voters_outgoing, 4 learners_next, 5 auto_leave ---

  static int sizeOf(ConfState state) {
    return sizeOf(1, state.voters()) + sizeOf(2, state.learners()) + sizeOf(3, state.votersOutgoing())
        + sizeOf(4, state.learnersNext()) + numberAlwaysSize(5, 1);
  }

  private static int sizeOf(int field, List<Long> ids) {
    int size = 0;
    for (long id : ids) {
      size += numberAlwaysSize(field, id);
    }
    return size;
  }

  static void put(ConfState state, ProtoWriter out) {
    put(1, state.voters(), out);
    put(2, state.learners(), out);
    put(3, state.votersOutgoing(), out);
    put(4, state.learnersNext(), out);
    out.numberAlways(5, state.autoLeave() ? 1 : 0);
  }

  private static void put(int field, List<Long> ids, ProtoWriter out) {
    for (long id : ids) {
      out.numberAlways(field, id);
    }
  }

  public static byte[] encode(ConfState state) {
    ProtoWriter out = ProtoWriter.measured(sizeOf(state));
    put(state, out);
    return out.toByteArray();
  }

  public static ConfState decodeConfState(byte[] bytes) throws WireFormatException {
    return decodeConfState(new ProtoReader(bytes));
  }

  static ConfState decodeConfState(ProtoReader in) throws WireFormatException {
    List<Long> voters = new ArrayList<>();
    List<Long> learners = new ArrayList<>();
    List<Long> votersOutgoing = new ArrayList<>();
    List<Long> learnersNext = new ArrayList<>();
    boolean autoLeave = false;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> in.numbers(voters::add);
        case 2 -> in.numbers(learners::add);
        case 3 -> in.numbers(votersOutgoing::add);
        case 4 -> in.numbers(learnersNext::add);
        case 5 -> autoLeave = in.flag();
        default -> in.skip();
      }
    }
    return new ConfState(voters, learners, votersOutgoing, learnersNext, autoLeave);
  }

  // --- Snapshot: 1 data, 2 metadata { 1 conf_state, 2 index, 3 term } ---

  private static int metadataSize(Snapshot snapshot) {
    return bytesAlwaysSize(1, sizeOf(snapshot.confState())) + numberAlwaysSize(2, snapshot.index())
        + numberAlwaysSize(3, snapshot.term());
  }

  static int sizeOf(Snapshot snapshot) {
    return bytesSize(1, snapshot.data().size()) + bytesAlwaysSize(2, metadataSize(snapshot));
  }

  static void put(Snapshot snapshot, ProtoWriter out) {
    out.bytes(1, snapshot.data().array());
    out.head(2, metadataSize(snapshot));
    out.head(1, sizeOf(snapshot.confState()));
    put(snapshot.confState(), out);
    out.numberAlways(2, snapshot.index());
    out.numberAlways(3, snapshot.term());
  }

  public static byte[] encode(Snapshot snapshot) {
    ProtoWriter out = ProtoWriter.measured(sizeOf(snapshot));
    put(snapshot, out);
    return out.toByteArray();
  }

  public static Snapshot decodeSnapshot(byte[] bytes) throws WireFormatException {
    return decodeSnapshot(new ProtoReader(bytes));
  }

  static Snapshot decodeSnapshot(ProtoReader in) throws WireFormatException {
    Bytes data = Bytes.EMPTY;
    WalSnapshot metadata = WalSnapshot.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> data = Bytes.wrap(in.bytes());
        case 2 -> {
          int outer = in.enter();
          metadata = decodeSnapshotMetadata(in);
          in.leave(outer);
        }
        default -> in.skip();
      }
    }
    return new Snapshot(data, metadata.confState(), metadata.index(), metadata.term());
  }

  private static WalSnapshot decodeSnapshotMetadata(ProtoReader in) throws WireFormatException {
    ConfState confState = ConfState.EMPTY;
    long index = 0;
    long term = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> {
          int outer = in.enter();
          confState = decodeConfState(in);
          in.leave(outer);
        }
        case 2 -> index = in.number();
        case 3 -> term = in.number();
        default -> in.skip();
      }
    }
    return new WalSnapshot(index, term, confState);
  }

  private static <E> E pick(E[] values, int number, String what) throws WireFormatException {
    if (number < 0 || number >= values.length) {
      throw new WireFormatException("unknown " + what + " " + number);
    }
    return values[number];
  }
}
