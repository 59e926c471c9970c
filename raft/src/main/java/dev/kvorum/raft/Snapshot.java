package dev.kvorum.raft;

import dev.kvorum.env.Bytes;

/// The log up to `index` in one piece: the application's `data` and the configuration in force there. Index 0 is none.
public record Snapshot(Bytes data, ConfState confState, long index, long term) {
  public static final Snapshot EMPTY = new Snapshot(Bytes.EMPTY, ConfState.EMPTY, 0, 0);

  public boolean isEmpty() {
    return index == 0;
  }
}
