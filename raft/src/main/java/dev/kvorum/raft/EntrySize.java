package dev.kvorum.raft;

import java.util.List;

/// The sizes by which raft limits itself, in bytes. They must be etcd's: message boundaries are visible to its peers.
///
/// An entry is measured as etcd 3.7 encodes it (`raftpb.Entry`, proto2): the type only when not normal, term and index
/// when not 0, data when not empty.
public final class EntrySize {
  private EntrySize() {}

  /// The encoded size of one entry.
  public static long encoded(Entry entry) {
    long size = 0;
    if (entry.type() != EntryType.NORMAL) {
      size += 2;
    }
    if (entry.term() != 0) {
      size += 1 + varint(entry.term());
    }
    if (entry.index() != 0) {
      size += 1 + varint(entry.index());
    }
    int data = entry.data().size();
    return data == 0 ? size : size + 1 + varint(data) + data;
  }

  /// The encoded size of all of them.
  public static long encoded(List<Entry> entries) {
    long size = 0;
    for (int i = 0, n = entries.size(); i < n; i++) {
      size += encoded(entries.get(i));
    }
    return size;
  }

  /// The bytes of data alone: what inflight and uncommitted limits count.
  public static long payload(List<Entry> entries) {
    long size = 0;
    for (int i = 0, n = entries.size(); i < n; i++) {
      size += entries.get(i).data().size();
    }
    return size;
  }

  /// The length of `value` as a protobuf varint, 1 to 10.
  public static int varint(long value) {
    return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
  }
}
