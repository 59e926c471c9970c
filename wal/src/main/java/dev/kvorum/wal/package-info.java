/// Raft's durable memory, in etcd's formats: log segments, snapshot files, and raftpb on disk and wire.
///
/// Start at [Wal], which appends and replays the log; [SnapStore] keeps the `.snap` files beside it; [RaftCodec] alone
/// knows how raft's records look as bytes.
///
/// On disk, a log is a directory of segments `<sequence>-<first index>.wal` (both 16 hex digits):
///
/// ```text
/// frame   = length(8, little-endian; top byte 0x80|padding) record(length) padding(to 8)
/// record  = protobuf { 1: type  2: crc  3: data }
/// segment = crc(inherited) metadata [state] (entry | state | snapshot)* zeros
/// ```
///
/// `crc` is CRC-32C over the data of all records so far, across segments: a record lost or moved anywhere breaks the
/// chain. Only the last segment may end in zeros; earlier ones are cut exactly.
@NullMarked
package dev.kvorum.wal;

import org.jspecify.annotations.NullMarked;
