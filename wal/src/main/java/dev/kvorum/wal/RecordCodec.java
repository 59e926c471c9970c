package dev.kvorum.wal;

import static dev.kvorum.api.ProtoWriter.bytesAlwaysSize;
import static dev.kvorum.api.ProtoWriter.numberAlwaysSize;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.raft.ConfState;

/// The records that only the log has: metadata and snapshot marks (walpb).
final class RecordCodec {
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
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> nodeId = in.number();
        case 2 -> clusterId = in.number();
        default -> in.skip();
      }
    }
    return new WalMetadata(nodeId, clusterId);
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
    for (int field = in.next(); field != 0; field = in.next()) {
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
    return new WalSnapshot(index, term, confState);
  }
}
