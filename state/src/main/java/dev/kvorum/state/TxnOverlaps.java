package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.Request.Op;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Finds a key that one branch of a txn would change twice.
///
/// A branch may not put a key twice, nor put a key it also deletes. A nested txn counts with both its branches, which
/// may share keys between each other since only one of them runs. The order of the walk is etcd's and part of the rule:
/// deletes of this level first; then each nested txn, whose puts are held against what was seen so far and whose
/// deletes join only then; then this level's puts. So a put nested *before* a nested delete of the same key passes, as
/// it does in etcd, and a delete to the end of the key space (`rangeEnd` of one zero byte) excludes nothing, because
/// etcd compares that end as a plain string here.
///
/// Source: etcd `server/etcdserver/api/v3rpc/key.go`, `checkIntervals`; both oddities were confirmed against 3.7.1.
final class TxnOverlaps {
  private final Set<Bytes> puts = new HashSet<>();
  private final KeySpans deletes = new KeySpans();

  private TxnOverlaps() {}

  /// @return true when a key is changed twice
  static boolean find(List<Op> branch) {
    return collect(branch) == null;
  }

  /// What a branch puts and deletes; null when it conflicts with itself.
  private static @Nullable TxnOverlaps collect(List<Op> branch) {
    TxnOverlaps level = new TxnOverlaps();
    for (Op op : branch) {
      if (op instanceof Request.DeleteRange delete) {
        if (delete.rangeEnd().isEmpty()) {
          level.deletes.add(delete.key());
        } else {
          level.deletes.add(delete.key(), delete.rangeEnd());
        }
      }
    }
    for (Op op : branch) {
      if (op instanceof Request.Txn txn && !level.nest(txn)) {
        return null;
      }
    }
    for (Op op : branch) {
      if (op instanceof Request.Put put && !level.put(put.key())) {
        return null;
      }
    }
    return level;
  }

  private boolean nest(Request.Txn txn) {
    TxnOverlaps then = collect(txn.success());
    if (then == null) {
      return false;
    }
    TxnOverlaps otherwise = collect(txn.failure());
    if (otherwise == null) {
      return false;
    }
    for (Bytes key : then.puts) {
      if (!put(key)) {
        return false;
      }
    }
    for (Bytes key : otherwise.puts) {
      if (!puts.add(key) && !then.puts.contains(key)) {
        return false;
      }
      if (deletes.contains(key)) {
        return false;
      }
    }
    deletes.addAll(then.deletes);
    deletes.addAll(otherwise.deletes);
    return true;
  }

  private boolean put(Bytes key) {
    return puts.add(key) && !deletes.contains(key);
  }
}
