package dev.kvorum.state.backend;

import dev.kvorum.env.Bytes;

/// The keys of the `meta` bucket.
///
/// Source: backend-schema §2.
public final class MetaKey {
  /// u64, big-endian: the last raft entry whose effects this file holds.
  public static final Bytes CONSISTENT_INDEX = Bytes.utf8("consistent_index");

  /// u64, big-endian: that entry's term.
  public static final Bytes TERM = Bytes.utf8("term");

  /// JSON of raft's `ConfState`.
  public static final Bytes CONF_STATE = Bytes.utf8("confState");

  /// ASCII `major.minor.patch`.
  public static final Bytes STORAGE_VERSION = Bytes.utf8("storageVersion");

  /// A [RevisionKey]: the compaction accepted last.
  public static final Bytes SCHEDULED_COMPACT_REV = Bytes.utf8("scheduledCompactRev");

  /// A [RevisionKey]: the compaction carried out last.
  public static final Bytes FINISHED_COMPACT_REV = Bytes.utf8("finishedCompactRev");

  private MetaKey() {}
}
