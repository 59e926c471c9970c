package dev.kvorum.wal;

import dev.kvorum.raft.ConfState;

/// A mark in the log: state up to `index` is durable elsewhere. Index 0 is the empty state every log begins with.
///
/// @param term the term of the entry at `index`
/// @param confState the configuration at `index`; empty for index 0 and in logs written before etcd 3.5
public record WalSnapshot(long index, long term, ConfState confState) {
  public static final WalSnapshot EMPTY = new WalSnapshot(0, 0, ConfState.EMPTY);

  /// A place to start reading from, where the configuration does not matter.
  public static WalSnapshot at(long index, long term) {
    return new WalSnapshot(index, term, ConfState.EMPTY);
  }
}
