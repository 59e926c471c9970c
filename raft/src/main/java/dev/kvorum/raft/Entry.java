package dev.kvorum.raft;

import dev.kvorum.env.Bytes;

/// One entry of the replicated log. `data` is empty for the no-op a new leader appends.
///
/// @param term the leader's term when it was appended
/// @param index its place in the log, from 1
public record Entry(EntryType type, long term, long index, Bytes data) {
  public static Entry normal(long term, long index, Bytes data) {
    return new Entry(EntryType.NORMAL, term, index, data);
  }
}
