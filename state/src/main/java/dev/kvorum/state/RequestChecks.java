package dev.kvorum.state;

import dev.kvorum.api.EtcdError;
import dev.kvorum.state.Request.Op;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the API layer refuses before anything is proposed: pure functions of the request, in etcd's order, so that the
/// first wrong thing gives the same error as there. Null means nothing is wrong.
///
/// Source: etcd `server/etcdserver/api/v3rpc/key.go`, `api.md` §3.
public final class RequestChecks {
  private RequestChecks() {}

  public static @Nullable EtcdError range(Request.Range range) {
    if (range.key().isEmpty()) {
      return EtcdError.EMPTY_KEY;
    }
    if (range.sortOrder() == Request.SortOrder.UNKNOWN || range.sortTarget() == Request.SortTarget.UNKNOWN) {
      return EtcdError.INVALID_SORT_OPTION;
    }
    return null;
  }

  /// As [#range], and what a stream of chunks cannot do.
  public static @Nullable EtcdError rangeStream(Request.Range range) {
    EtcdError error = range(range);
    if (error != null) {
      return error;
    }
    if (!range.defaultOrder()) {
      return EtcdError.RANGE_STREAM_SORT;
    }
    return range.filtersRevisions() ? EtcdError.RANGE_STREAM_FILTER : null;
  }

  public static @Nullable EtcdError put(Request.Put put) {
    if (put.key().isEmpty()) {
      return EtcdError.EMPTY_KEY;
    }
    if (put.ignoreValue() && !put.value().isEmpty()) {
      return EtcdError.VALUE_PROVIDED;
    }
    if (put.ignoreLease() && put.lease() != 0) {
      return EtcdError.LEASE_PROVIDED;
    }
    return null;
  }

  public static @Nullable EtcdError deleteRange(Request.DeleteRange delete) {
    return delete.key().isEmpty() ? EtcdError.EMPTY_KEY : null;
  }

  /// @param maxTxnOps the most compares, and the most operations of either branch, of the txn and what is nested in it
  public static @Nullable EtcdError txn(Request.Txn txn, int maxTxnOps) {
    EtcdError error = txnShape(txn, maxTxnOps);
    if (error != null) {
      return error;
    }
    // After the shape, so that the work here is bounded by what the shape allows.
    if (TxnOverlaps.find(txn.success()) || TxnOverlaps.find(txn.failure())) {
      return EtcdError.DUPLICATE_KEY;
    }
    return TxnVanishing.find(txn) ? EtcdError.KEY_NOT_FOUND : null;
  }

  private static @Nullable EtcdError txnShape(Request.Txn txn, int budget) {
    int size = Math.max(txn.compares().size(), Math.max(txn.success().size(), txn.failure().size()));
    if (size > budget) {
      return EtcdError.TOO_MANY_OPS;
    }
    for (Compare compare : txn.compares()) {
      if (compare.key().isEmpty()) {
        return EtcdError.EMPTY_KEY;
      }
    }
    EtcdError error = ops(txn.success(), budget - size);
    return error != null ? error : ops(txn.failure(), budget - size);
  }

  private static @Nullable EtcdError ops(List<Op> ops, int nestedBudget) {
    for (Op op : ops) {
      EtcdError error = switch (op) {
        case Request.Range range -> range(range);
        case Request.Put put -> put(put);
        case Request.DeleteRange delete -> deleteRange(delete);
        case Request.Txn txn -> txnShape(txn, nestedBudget);
        case Request.Unset _ -> EtcdError.KEY_NOT_FOUND;
      };
      if (error != null) {
        return error;
      }
    }
    return null;
  }
}
