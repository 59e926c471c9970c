package dev.kvorum.wal;

import dev.kvorum.raft.ConfState;

/// The records that only the log has: metadata and snapshot marks (walpb).
final class RecordCodec {
  private RecordCodec() {}

  /// 1 node id, 2 cluster id; both always present.
  static byte[] encode(WalMetadata metadata) {
    ProtoWriter out =
        new ProtoWriter(ProtoWriter.fieldSize(metadata.nodeId()) + ProtoWriter.fieldSize(metadata.clusterId()));
    out.varint(1, metadata.nodeId());
    out.varint(2, metadata.clusterId());
    return out.finish();
  }

  static WalMetadata decodeMetadata(ProtoReader in) throws MalformedException {
    long nodeId = 0;
    long clusterId = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> nodeId = in.uint64();
        case 2 -> clusterId = in.uint64();
        default -> in.skip();
      }
    }
    return new WalMetadata(nodeId, clusterId);
  }

  /// 1 index, 2 term, 3 conf_state; the last only behind the beginning.
  static byte[] encode(WalSnapshot snapshot) {
    boolean hasConfState = snapshot.index() != 0;
    int confState = RaftCodec.sizeOf(snapshot.confState());
    ProtoWriter out = new ProtoWriter(ProtoWriter.fieldSize(snapshot.index()) + ProtoWriter.fieldSize(snapshot.term())
        + (hasConfState ? ProtoWriter.bytesSize(confState) : 0));
    out.varint(1, snapshot.index());
    out.varint(2, snapshot.term());
    if (hasConfState) {
      out.head(3, confState);
      RaftCodec.put(snapshot.confState(), out);
    }
    return out.finish();
  }

  static WalSnapshot decodeSnapshot(ProtoReader in) throws MalformedException {
    long index = 0;
    long term = 0;
    ConfState confState = ConfState.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> index = in.uint64();
        case 2 -> term = in.uint64();
        case 3 -> confState = RaftCodec.decodeConfState(in.message());
        default -> in.skip();
      }
    }
    return new WalSnapshot(index, term, confState);
  }
}
