package dev.kvorum.wal;

import static dev.kvorum.wal.ProtoWriter.bytesSize;
import static dev.kvorum.wal.ProtoWriter.fieldSize;
import static dev.kvorum.wal.ProtoWriter.fieldSizeUnlessZero;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Snapshot;
import java.util.ArrayList;
import java.util.List;

/// Raft's records as raftpb bytes, on disk and between members.
///
/// Writes what etcd 3.7 writes: a field is present when 3.7 would have set it, whatever its value. Reads that and what
/// 3.6 and older write, which is every scalar even when zero, and an empty snapshot in every message. Messages between
/// members are in [MessageCodec].
public final class RaftCodec {
  private RaftCodec() {}

  private static final EntryType[] ENTRY_TYPES = EntryType.values();
  private static final ConfChange.Type[] CHANGE_TYPES = ConfChange.Type.values();
  private static final ConfChange.Transition[] TRANSITIONS = ConfChange.Transition.values();

  // --- Entry: 1 type, 2 term, 3 index, 4 data ---

  /// The encoded size in bytes; what etcd counts against its message limits.
  public static int sizeOf(Entry entry) {
    return headSize(entry) + entry.data().size();
  }

  /// An entry's bytes up to its data: all of it when the data is empty.
  static int headSize(Entry entry) {
    int size = fieldSizeUnlessZero(entry.term()) + fieldSizeUnlessZero(entry.index());
    if (entry.type() != EntryType.NORMAL) {
      size += 2;
    }
    int data = entry.data().size();
    return data == 0 ? size : size + 1 + ProtoWriter.sizeOf(data);
  }

  /// Puts an entry's head (at most 32 bytes). @return the position behind it
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

  /// Puts a whole entry, [#sizeOf] bytes. @return the position behind it
  public static int put(Entry entry, byte[] target, int at) {
    at = putHead(entry, target, at);
    byte[] data = entry.data().array();
    System.arraycopy(data, 0, target, at, data.length);
    return at + data.length;
  }

  public static byte[] encode(Entry entry) {
    byte[] bytes = new byte[sizeOf(entry)];
    put(entry, bytes, 0);
    return bytes;
  }

  public static Entry decodeEntry(byte[] bytes) throws MalformedException {
    return decodeEntry(new ProtoReader(bytes));
  }

  static Entry decodeEntry(ProtoReader in) throws MalformedException {
    int type = 0;
    long term = 0;
    long index = 0;
    Bytes data = Bytes.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> type = in.number();
        case 2 -> term = in.uint64();
        case 3 -> index = in.uint64();
        case 4 -> data = in.bytes();
        default -> in.skip();
      }
    }
    return new Entry(pick(ENTRY_TYPES, type, "entry type"), term, index, data);
  }

  // --- HardState: 1 term, 2 vote, 3 commit ---

  public static byte[] encode(HardState state) {
    ProtoWriter out = new ProtoWriter(fieldSize(state.term()) + fieldSize(state.vote()) + fieldSize(state.commit()));
    out.varint(1, state.term());
    out.varint(2, state.vote());
    out.varint(3, state.commit());
    return out.finish();
  }

  public static HardState decodeHardState(byte[] bytes) throws MalformedException {
    return decodeHardState(new ProtoReader(bytes));
  }

  static HardState decodeHardState(ProtoReader in) throws MalformedException {
    long term = 0;
    long vote = 0;
    long commit = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> term = in.uint64();
        case 2 -> vote = in.uint64();
        case 3 -> commit = in.uint64();
        default -> in.skip();
      }
    }
    return new HardState(term, vote, commit);
  }

  // --- ConfState: 1 voters, 2 learners, 3 voters_outgoing, 4 learners_next, 5 auto_leave ---

  static int sizeOf(ConfState state) {
    return sizeOf(state.voters()) + sizeOf(state.learners()) + sizeOf(state.votersOutgoing())
        + sizeOf(state.learnersNext()) + 2;
  }

  private static int sizeOf(List<Long> ids) {
    int size = 0;
    for (long id : ids) {
      size += fieldSize(id);
    }
    return size;
  }

  static void put(ConfState state, ProtoWriter out) {
    put(1, state.voters(), out);
    put(2, state.learners(), out);
    put(3, state.votersOutgoing(), out);
    put(4, state.learnersNext(), out);
    out.bool(5, state.autoLeave());
  }

  private static void put(int field, List<Long> ids, ProtoWriter out) {
    for (long id : ids) {
      out.varint(field, id);
    }
  }

  public static byte[] encode(ConfState state) {
    ProtoWriter out = new ProtoWriter(sizeOf(state));
    put(state, out);
    return out.finish();
  }

  public static ConfState decodeConfState(byte[] bytes) throws MalformedException {
    return decodeConfState(new ProtoReader(bytes));
  }

  static ConfState decodeConfState(ProtoReader in) throws MalformedException {
    List<Long> voters = new ArrayList<>();
    List<Long> learners = new ArrayList<>();
    List<Long> votersOutgoing = new ArrayList<>();
    List<Long> learnersNext = new ArrayList<>();
    boolean autoLeave = false;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> in.uint64s(voters);
        case 2 -> in.uint64s(learners);
        case 3 -> in.uint64s(votersOutgoing);
        case 4 -> in.uint64s(learnersNext);
        case 5 -> autoLeave = in.bool();
        default -> in.skip();
      }
    }
    return new ConfState(voters, learners, votersOutgoing, learnersNext, autoLeave);
  }

  // --- Snapshot: 1 data, 2 metadata { 1 conf_state, 2 index, 3 term } ---

  private static int metadataSize(Snapshot snapshot) {
    return bytesSize(sizeOf(snapshot.confState())) + fieldSize(snapshot.index()) + fieldSize(snapshot.term());
  }

  static int sizeOf(Snapshot snapshot) {
    int data = snapshot.data().size();
    return (data == 0 ? 0 : bytesSize(data)) + bytesSize(metadataSize(snapshot));
  }

  static void put(Snapshot snapshot, ProtoWriter out) {
    if (!snapshot.data().isEmpty()) {
      out.bytes(1, snapshot.data().array());
    }
    out.head(2, metadataSize(snapshot));
    out.head(1, sizeOf(snapshot.confState()));
    put(snapshot.confState(), out);
    out.varint(2, snapshot.index());
    out.varint(3, snapshot.term());
  }

  public static byte[] encode(Snapshot snapshot) {
    ProtoWriter out = new ProtoWriter(sizeOf(snapshot));
    put(snapshot, out);
    return out.finish();
  }

  public static Snapshot decodeSnapshot(byte[] bytes) throws MalformedException {
    return decodeSnapshot(new ProtoReader(bytes));
  }

  static Snapshot decodeSnapshot(ProtoReader in) throws MalformedException {
    Bytes data = Bytes.EMPTY;
    WalSnapshot metadata = WalSnapshot.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> data = in.bytes();
        case 2 -> metadata = decodeSnapshotMetadata(in.message());
        default -> in.skip();
      }
    }
    return new Snapshot(data, metadata.confState(), metadata.index(), metadata.term());
  }

  private static WalSnapshot decodeSnapshotMetadata(ProtoReader in) throws MalformedException {
    ConfState confState = ConfState.EMPTY;
    long index = 0;
    long term = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> confState = decodeConfState(in.message());
        case 2 -> index = in.uint64();
        case 3 -> term = in.uint64();
        default -> in.skip();
      }
    }
    return new WalSnapshot(index, term, confState);
  }

  // --- ConfChange: 1 id, 2 type, 3 node_id, 4 context ---

  /// The data of a `CONF_CHANGE` entry.
  public static byte[] encode(ConfChange.V1 change) {
    int context = change.context().size();
    ProtoWriter out = new ProtoWriter(fieldSizeUnlessZero(change.id()) + 2 + fieldSize(change.nodeId())
        + (context == 0 ? 0 : bytesSize(context)));
    out.varintUnlessZero(1, change.id());
    out.varint(2, change.type().ordinal());
    out.varint(3, change.nodeId());
    if (context != 0) {
      out.bytes(4, change.context().array());
    }
    return out.finish();
  }

  /// Reads the data of a `CONF_CHANGE` entry.
  public static ConfChange.V1 decodeConfChange(byte[] bytes) throws MalformedException {
    ProtoReader in = new ProtoReader(bytes);
    long id = 0;
    int type = 0;
    long nodeId = 0;
    Bytes context = Bytes.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> id = in.uint64();
        case 2 -> type = in.number();
        case 3 -> nodeId = in.uint64();
        case 4 -> context = in.bytes();
        default -> in.skip();
      }
    }
    return new ConfChange.V1(id, pick(CHANGE_TYPES, type, "conf change type"), nodeId, context);
  }

  // --- ConfChangeV2: 1 transition, 2 changes { 1 type, 2 node_id }, 3 context ---

  /// The data of a `CONF_CHANGE_V2` entry; empty for the change that leaves a joint configuration.
  public static byte[] encode(ConfChange.V2 change) {
    int context = change.context().size();
    int size = change.transition() == ConfChange.Transition.AUTO ? 0 : 2;
    for (ConfChange.Single single : change.changes()) {
      size += bytesSize(2 + fieldSize(single.nodeId()));
    }
    ProtoWriter out = new ProtoWriter(size + (context == 0 ? 0 : bytesSize(context)));
    out.varintUnlessZero(1, change.transition().ordinal());
    for (ConfChange.Single single : change.changes()) {
      out.head(2, 2 + fieldSize(single.nodeId()));
      out.varint(1, single.type().ordinal());
      out.varint(2, single.nodeId());
    }
    if (context != 0) {
      out.bytes(3, change.context().array());
    }
    return out.finish();
  }

  /// Reads the data of a `CONF_CHANGE_V2` entry.
  public static ConfChange.V2 decodeConfChangeV2(byte[] bytes) throws MalformedException {
    ProtoReader in = new ProtoReader(bytes);
    int transition = 0;
    List<ConfChange.Single> changes = new ArrayList<>();
    Bytes context = Bytes.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> transition = in.number();
        case 2 -> changes.add(decodeSingle(in.message()));
        case 3 -> context = in.bytes();
        default -> in.skip();
      }
    }
    return new ConfChange.V2(pick(TRANSITIONS, transition, "conf change transition"), changes, context);
  }

  private static ConfChange.Single decodeSingle(ProtoReader in) throws MalformedException {
    int type = 0;
    long nodeId = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> type = in.number();
        case 2 -> nodeId = in.uint64();
        default -> in.skip();
      }
    }
    return new ConfChange.Single(pick(CHANGE_TYPES, type, "conf change type"), nodeId);
  }

  private static <E> E pick(E[] values, int number, String what) throws MalformedException {
    if (number < 0 || number >= values.length) {
      throw new MalformedException("unknown " + what + " " + number);
    }
    return values[number];
  }
}
