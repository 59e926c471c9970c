package dev.kvorum.api;

/// Why a watcher was not created: the exact texts of `WatchResponse.cancel_reason`. The stream itself lives on, so
/// none of these is a status. (A watcher that fell behind compaction is cancelled without a reason.)
///
/// Source: etcd `server/etcdserver/api/v3rpc/watch.go`, `server/storage/mvcc/watcher.go`.
public enum WatchCancelReason {
  /// `range_end` at or below `key`.
  EMPTY_RANGE("mvcc.ErrEmptyWatcherRange", "mvcc: watcher range is empty"),
  /// A non-zero `watch_id` already in use on the stream.
  DUPLICATE_ID("mvcc.ErrWatcherDuplicateID", "mvcc: duplicate watch ID provided on the WatchStream"),
  /// A negative `start_revision`; `compact_revision` stays 0.
  NEGATIVE_START("(watch start<0)", EtcdError.COMPACTED.message()),
  INVALID_AUTH_TOKEN("(watch auth) token", EtcdError.INVALID_AUTH_TOKEN),
  AUTH_OLD_REVISION("(watch auth) revision", EtcdError.AUTH_OLD_REVISION),
  /// No credentials while auth is on.
  USER_EMPTY("(watch auth) user", EtcdError.USER_EMPTY),
  /// Every other refusal of the permission check.
  PERMISSION_DENIED("(watch auth) denied", EtcdError.PERMISSION_DENIED);

  private final String symbol;
  private final String text;

  WatchCancelReason(String symbol, String text) {
    this.symbol = symbol;
    this.text = text;
  }

  WatchCancelReason(String symbol, EtcdError error) {
    this(symbol, error.exception().toString());
  }

  /// The reason for a refused permission check at creation.
  public static WatchCancelReason ofAuthRefusal(EtcdError refusal) {
    return switch (refusal) {
      case INVALID_AUTH_TOKEN -> INVALID_AUTH_TOKEN;
      case AUTH_OLD_REVISION -> AUTH_OLD_REVISION;
      case USER_EMPTY -> USER_EMPTY;
      default -> PERMISSION_DENIED;
    };
  }

  /// etcd's own name for it, for logs and tests.
  public String symbol() {
    return symbol;
  }

  /// The exact `cancel_reason`.
  public String text() {
    return text;
  }
}
