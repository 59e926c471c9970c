package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.Request.Op;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Finds a put that is to keep the value or the lease of a key which the same txn has deleted before it.
///
/// etcd's check of overlaps lets some of these through ([TxnOverlaps] says which), then every member of an etcd cluster
/// panics applying them, and again on each restart. Nobody can rely on that, so they are refused before they are
/// proposed, with what the put would be told if it came alone: the key is not there.
final class TxnVanishing {
  private final @Nullable TxnVanishing parent;
  private final KeySpans deleted = new KeySpans();

  private TxnVanishing(@Nullable TxnVanishing parent) {
    this.parent = parent;
  }

  static boolean find(Request.Txn txn) {
    return keepsAnything(txn)
        && (new TxnVanishing(null).walk(txn.success()) || new TxnVanishing(null).walk(txn.failure()));
  }

  /// Most txns do not, and need no second look.
  private static boolean keepsAnything(Request.Txn txn) {
    return keepsAnything(txn.success()) || keepsAnything(txn.failure());
  }

  private static boolean keepsAnything(List<Op> ops) {
    for (Op op : ops) {
      boolean keeps = switch (op) {
        case Request.Put put -> put.ignoreValue() || put.ignoreLease();
        case Request.Txn nested -> keepsAnything(nested);
        case Request.Range _, Request.DeleteRange _, Request.Unset _ -> false;
      };
      if (keeps) {
        return true;
      }
    }
    return false;
  }

  /// In order of execution. A nested txn's branches do not see each other, but what follows it sees both: which one
  /// runs is not known here.
  private boolean walk(List<Op> ops) {
    for (Op op : ops) {
      boolean found = switch (op) {
        case Request.Put put -> (put.ignoreValue() || put.ignoreLease()) && isDeleted(put.key());
        case Request.DeleteRange delete -> {
          delete(delete);
          yield false;
        }
        case Request.Txn nested -> {
          TxnVanishing then = new TxnVanishing(this);
          TxnVanishing otherwise = new TxnVanishing(this);
          boolean nestedFound = then.walk(nested.success()) || otherwise.walk(nested.failure());
          deleted.addAll(then.deleted);
          deleted.addAll(otherwise.deleted);
          yield nestedFound;
        }
        case Request.Range _, Request.Unset _ -> false;
      };
      if (found) {
        return true;
      }
    }
    return false;
  }

  private void delete(Request.DeleteRange delete) {
    Bytes end = delete.rangeEnd();
    if (end.isEmpty()) {
      deleted.add(delete.key());
    } else if (end.size() == 1 && end.at(0) == 0) {
      deleted.addFrom(delete.key());
    } else {
      deleted.add(delete.key(), end);
    }
  }

  private boolean isDeleted(Bytes key) {
    for (TxnVanishing level = this; level != null; level = level.parent) {
      if (level.deleted.contains(key)) {
        return true;
      }
    }
    return false;
  }
}
