package dev.kvorum.state;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.Request.Op;
import dev.kvorum.state.keys.RangeOptions;
import dev.kvorum.state.keys.StoredKv;
import java.util.Arrays;
import java.util.BitSet;

/// Which way a txn goes, and each txn nested in the branches that run: decided once, on the state before it, so that
/// nothing it does can change its own course.
///
/// A list of booleans in the order in which a walk down the chosen branches meets the txns. Each walk reads it through
/// a [Walk] of its own.
final class TxnPath {
  private static final RangeOptions LATEST = RangeOptions.LATEST;
  private static final RangeOptions LATEST_FROM_INDEX = RangeOptions.LATEST.keysOnly(true);

  private final BitSet succeeded = new BitSet();
  private int length;

  private TxnPath() {}

  static TxnPath evaluate(KvReads reads, Request.Txn txn) throws CorruptionException {
    TxnPath path = new TxnPath();
    path.add(reads, txn);
    return path;
  }

  Walk walk() {
    return new Walk();
  }

  /// Reads the path front to back.
  final class Walk {
    private int next;

    /// Which way the next txn met goes.
    boolean succeeds() {
      return succeeded.get(next++);
    }
  }

  private void add(KvReads reads, Request.Txn txn) throws CorruptionException {
    boolean holds = true;
    for (Compare compare : txn.compares()) {
      if (!holds(reads, compare)) {
        holds = false;
        break;
      }
    }
    succeeded.set(length++, holds);
    for (Op op : holds ? txn.success() : txn.failure()) {
      if (op instanceof Request.Txn nested) {
        add(reads, nested);
      }
    }
  }

  /// Every key must satisfy the guard. Where there is none, its value satisfies nothing, and its other fields are zero.
  private static boolean holds(KvReads reads, Compare compare) throws CorruptionException {
    boolean fromIndex = switch (compare.target()) {
      case VERSION, CREATE, MOD, UNKNOWN -> true;
      case VALUE, LEASE -> false;
    };
    byte[][] kvs = reads.range(compare.keys(), fromIndex ? LATEST_FROM_INDEX : LATEST).kvs();
    if (kvs.length == 0) {
      return compare.target() != Compare.Target.VALUE && compare.result().holds(Long.compare(0, compare.number()));
    }
    for (byte[] kv : kvs) {
      if (!compare.result().holds(sign(compare, StoredKv.decode(kv)))) {
        return false;
      }
    }
    return true;
  }

  private static int sign(Compare compare, StoredKv kv) {
    return switch (compare.target()) {
      case VERSION -> Long.compare(kv.version(), compare.number());
      case CREATE -> Long.compare(kv.createRevision(), compare.number());
      case MOD -> Long.compare(kv.modRevision(), compare.number());
      case LEASE -> Long.compare(kv.lease(), compare.number());
      case VALUE -> {
        byte[] operand = compare.value().array();
        yield Arrays.compareUnsigned(
            kv.record(), kv.valueAt(), kv.valueAt() + kv.valueLength(), operand, 0, operand.length);
      }
      case UNKNOWN -> 0;
    };
  }
}
