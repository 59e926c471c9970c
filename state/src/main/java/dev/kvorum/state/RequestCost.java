package dev.kvorum.state;

import dev.kvorum.state.Request.Op;
import java.util.List;

/// What a request may add to the db, in bytes, as etcd's quota estimates it. Part of replicated behaviour: while
/// NOSPACE is raised, a txn is refused iff its cost is not 0.
///
/// Source: etcd `server/storage/quota.go`.
public final class RequestCost {
  private static final int KEY_OVERHEAD_BYTES = 256;
  private static final int LEASE_BYTES = 64;

  private RequestCost() {}

  /// The estimate in bytes; 0 for what makes nothing grow. Passwords and alarms are free, as in etcd.
  public static long of(Request request) {
    return switch (request) {
      case Request.Put put -> ofPut(put);
      case Request.Txn txn -> ofTxn(txn);
      case Request.LeaseGrant _ -> LEASE_BYTES;
      case Request.Range _, Request.DeleteRange _, Request.Compact _ -> 0;
      case Request.LeaseRevoke _, Request.LeaseCheckpoint _, Request.Alarm _ -> 0;
      case Request.ClusterVersionSet _, Request.MemberAttributesSet _ -> 0;
      case Request.DowngradeInfoSet _, Request.DowngradeVersionTest _ -> 0;
      case AuthRequest _ -> 0;
    };
  }

  private static long ofPut(Request.Put put) {
    return KEY_OVERHEAD_BYTES + put.key().size() + put.value().size();
  }

  private static long ofTxn(Request.Txn txn) {
    return Math.max(ofOps(txn.success()), ofOps(txn.failure()));
  }

  private static long ofOps(List<Op> ops) {
    long sum = 0;
    for (Op op : ops) {
      sum += switch (op) {
        case Request.Put put -> ofPut(put);
        case Request.Txn txn -> ofTxn(txn);
        case Request.Range _, Request.DeleteRange _, Request.Unset _ -> 0;
      };
    }
    return sum;
  }
}
