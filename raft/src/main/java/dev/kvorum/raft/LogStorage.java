package dev.kvorum.raft;

import java.util.List;

/// The stable part of the log, as raft reads it. Declared here, kept by the member (over what `wal` made durable).
///
/// Called only on the loop that steps the node.
public interface LogStorage {
  /// What a restarted node begins with.
  record InitialState(HardState hardState, ConfState confState) {}

  /// Why an index cannot be answered for.
  enum Gap {
    /// Below the first index: compacted into a snapshot.
    COMPACTED,
    /// Above the last index: not stored yet.
    UNAVAILABLE
  }

  /// An expected refusal, not a failure: stackless.
  final class GapException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Gap gap;

    public GapException(Gap gap) {
      super(gap.name(), null, false, false);
      this.gap = gap;
    }

    public Gap gap() {
      return gap;
    }
  }

  InitialState initialState();

  /// Entries `[low, high)`, at least one, then as many as fit `bytesMax` (etcd's encoded size).
  ///
  /// @throws GapException `COMPACTED` when low is below [#firstIndex], `UNAVAILABLE` when high is past the end
  List<Entry> entries(long low, long high, long bytesMax);

  /// The term of `index`, which lies in `[firstIndex-1, lastIndex]`. @throws GapException otherwise
  long term(long index);

  long firstIndex();

  long lastIndex();

  /// The newest snapshot. @throws GapException `UNAVAILABLE` while it is being made; raft asks again later
  Snapshot snapshot();
}
