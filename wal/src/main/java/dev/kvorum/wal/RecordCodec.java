package dev.kvorum.wal;

import static dev.kvorum.api.ProtoWriter.bytesAlwaysSize;
import static dev.kvorum.api.ProtoWriter.numberAlwaysSize;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.HardState;

/// The records that only the log has: metadata and snapshot marks (walpb), and the hard state as logs hold it.
final class RecordCodec {
  /// Stands for all fields beyond those we know.
  private static final int OTHER_FIELD = 31;

  private RecordCodec() {}

  /// 1 node id, 2 cluster id; both always present.
  static byte[] encode(WalMetadata metadata) {
    ProtoWriter out = ProtoWriter.measured(
        numberAlwaysSize(1, metadata.nodeId()) + numberAlwaysSize(2, metadata.clusterId()));
    out.numberAlways(1, metadata.nodeId());
    out.numberAlways(2, metadata.clusterId());
    return out.toByteArray();
  }

  static WalMetadata decodeMetadata(ProtoReader in) throws WireFormatException {
    long nodeId = 0;
    long clusterId = 0;
    int seen = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      seen |= 1 << Math.min(field, OTHER_FIELD);
      switch (field) {
        case 1 -> nodeId = in.number();
        case 2 -> clusterId = in.number();
        default -> in.skip();
      }
    }
    require((seen & 0b110) == 0b110, "metadata lacks a field");
    return new WalMetadata(nodeId, clusterId);
  }

  /// A hard state as logs hold it: always with its three fields and no other. The record's type is not summed; with a
  /// bit of it rotten an entry would read as a state otherwise.
  static HardState decodeHardState(ProtoReader in) throws WireFormatException {
    long term = 0;
    long vote = 0;
    long commit = 0;
    int seen = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      seen |= 1 << Math.min(field, OTHER_FIELD);
      switch (field) {
        case 1 -> term = in.number();
        case 2 -> vote = in.number();
        case 3 -> commit = in.number();
        default -> in.skip();
      }
    }
    require(seen == 0b1110, "a hard state has three fields");
    return new HardState(term, vote, commit);
  }

  private static void require(boolean condition, String message) throws WireFormatException {
    if (!condition) {
      throw new WireFormatException("proto: " + message);
    }
  }

  /// 1 index, 2 term, 3 conf_state; the last only behind the beginning.
  static byte[] encode(WalSnapshot snapshot) {
    boolean hasConfState = snapshot.index() != 0;
    int confState = RaftCodec.sizeOf(snapshot.confState());
    ProtoWriter out = ProtoWriter.measured(numberAlwaysSize(1, snapshot.index()) + numberAlwaysSize(2, snapshot.term())
        + (hasConfState ? bytesAlwaysSize(3, confState) : 0));
    out.numberAlways(1, snapshot.index());
    out.numberAlways(2, snapshot.term());
    if (hasConfState) {
      out.head(3, confState);
      RaftCodec.put(snapshot.confState(), out);
    }
    return out.toByteArray();
  }

  static WalSnapshot decodeSnapshot(ProtoReader in) throws WireFormatException {
    long index = 0;
    long term = 0;
    ConfState confState = ConfState.EMPTY;
    int seen = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      seen |= 1 << Math.min(field, OTHER_FIELD);
      switch (field) {
        case 1 -> index = in.number();
        case 2 -> term = in.number();
        case 3 -> {
          int outer = in.enter();
          confState = RaftCodec.decodeConfState(in);
          in.leave(outer);
        }
        default -> in.skip();
      }
    }
    require((seen & 0b110) == 0b110, "a snapshot's mark lacks a field");
    return new WalSnapshot(index, term, confState);
  }
}
