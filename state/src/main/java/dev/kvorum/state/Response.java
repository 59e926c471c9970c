package dev.kvorum.state;

import dev.kvorum.state.alarm.AlarmMember;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What applying a request answers. Who answers (cluster, member, term) is added when it is encoded.
///
/// Key values are the stored bytes of `mvccpb.KeyValue`, read-only, taken over as they are. Records that hold such
/// arrays compare by identity: compare what they encode to.
public sealed interface Response {
  /// The store's revision for the header: after the change if there was one, else the current one.
  long revision();

  /// An answer to an operation inside a txn.
  sealed interface Op permits Range, Put, DeleteRange, Txn, Nothing {}

  /// @param kvs encoded `KeyValue`s in the order asked for
  /// @param more the limit cut something off
  /// @param count keys in the range, whatever limit and filters did
  record Range(long revision, byte[][] kvs, boolean more, long count) implements Response, Op {}

  /// @param prevKv the encoded `KeyValue` before, if asked for and there was one
  record Put(long revision, byte @Nullable [] prevKv) implements Response, Op {}

  /// @param prevKvs encoded `KeyValue`s in key order, if asked for
  record DeleteRange(long revision, long deleted, byte[][] prevKvs) implements Response, Op {}

  /// @param responses one per operation of the branch that ran
  record Txn(long revision, boolean succeeded, List<Op> responses) implements Response, Op {}

  /// The answer to an operation that asked for nothing.
  record Nothing() implements Op {
    public static final Nothing INSTANCE = new Nothing();
  }

  record Compact(long revision) implements Response {}

  /// @param ttlSeconds what was granted, which may be more than what was asked for
  record LeaseGrant(long revision, long id, long ttlSeconds) implements Response {}

  record LeaseRevoke(long revision) implements Response {}

  record LeaseCheckpoint(long revision) implements Response {}

  record Alarm(long revision, List<AlarmMember> alarms) implements Response {}

  /// Done, and nothing to say: what members tell each other through the log.
  record Done(long revision) implements Response {}
}
