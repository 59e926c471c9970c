package dev.kvorum.member.watch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A cursor with a filter. Owned by the watch loop.
///
/// Everything it asks for below `cursor` has been put into its session's outbox. It is *current* while it hangs in the
/// hub's tree and is fed by live events, and *behind* while [CatchUp] feeds it from history.
final class Watcher {
  final long id;
  final WatchSession session;
  final byte[] begin;
  final byte @Nullable [] end;
  final boolean noPut;
  final boolean noDelete;
  final boolean prevKv;
  final boolean fragment;
  final boolean progressNotify;
  /// What it was asked to begin at; 0 for "now".
  final long startRevision;
  /// The lowest revision not yet delivered.
  long cursor;
  boolean current;
  boolean cancelled;
  /// Whether a response went out since the last progress tick.
  boolean heardFrom;
  /// Events matched in the batch being handled.
  final List<WatchEvent> matched = new ArrayList<>();

  /// @param end exclusive; null for no end
  Watcher(
      long id,
      WatchSession session,
      byte[] begin,
      byte @Nullable [] end,
      boolean noPut,
      boolean noDelete,
      boolean prevKv,
      boolean fragment,
      boolean progressNotify,
      long startRevision,
      long cursor) {
    this.id = id;
    this.session = session;
    this.begin = begin;
    this.end = end;
    this.noPut = noPut;
    this.noDelete = noDelete;
    this.prevKv = prevKv;
    this.fragment = fragment;
    this.progressNotify = progressNotify;
    this.startRevision = startRevision;
    this.cursor = cursor;
  }

  /// Whether it may be told that it has seen everything up to `revision`. Like etcd, not before the revision it waits
  /// for has come.
  boolean isAt(long revision) {
    return current && cursor <= revision + 1 && startRevision <= revision;
  }

  boolean covers(byte[] key) {
    return Arrays.compareUnsigned(begin, key) <= 0 && (end == null || Arrays.compareUnsigned(key, end) < 0);
  }

  /// Whether an event in its range is one it wants: not delivered yet, not filtered out.
  boolean wants(WatchEvent event) {
    return event.revision() >= cursor && !(event.isDelete() ? noDelete : noPut);
  }
}
