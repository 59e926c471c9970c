package dev.kvorum.member;

import dev.kvorum.api.EtcdException;
import dev.kvorum.state.Request;
import dev.kvorum.state.keys.KeyRange;
import dev.kvorum.state.keys.KeyScan;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.keys.RangeOptions;
import java.io.IOException;
import java.util.List;

/// What answers that come whole will take, told beforehand: the memory budget is asked before anything is read.
final class AnswerSize {
  private static final int MEASURE_KEYS = 16_384;

  /// What a key value takes while it is fetched, sorted and encoded, beside its record.
  private static final long KEY_OVERHEAD_BYTES = 160;

  private AnswerSize() {}

  /// Whether a request that changes something may be answered with key values at all.
  static boolean mayBeLarge(Request request) {
    return switch (request) {
      case Request.DeleteRange delete -> delete.prevKv();
      case Request.Txn txn -> anyLarge(txn.success()) || anyLarge(txn.failure());
      default -> false;
    };
  }

  private static boolean anyLarge(List<Request.Op> ops) {
    for (Request.Op op : ops) {
      boolean large =
          switch (op) {
            case Request.Range range -> !range.countOnly();
            case Request.DeleteRange delete -> delete.prevKv();
            case Request.Put put -> put.prevKv();
            case Request.Txn txn -> anyLarge(txn.success()) || anyLarge(txn.failure());
            case Request.Unset _ -> false;
          };
      if (large) {
        return true;
      }
    }
    return false;
  }

  /// How many keys there are to be measured, at most.
  static long keysAtMost(KvView view, Request request) {
    return switch (request) {
      case Request.Range range -> range.countOnly() ? 1 : keys(view, range.keys());
      case Request.DeleteRange delete -> delete.prevKv() ? keys(view, delete.keys()) : 1;
      case Request.Txn txn -> keysAtMost(view, txn.success()) + keysAtMost(view, txn.failure());
      default -> 1;
    };
  }

  private static long keysAtMost(KvView view, List<Request.Op> ops) {
    long sum = 0;
    for (Request.Op op : ops) {
      sum += op instanceof Request request ? keysAtMost(view, request) : 1;
    }
    return sum;
  }

  private static long keys(KvView view, KeyRange range) {
    return range.isSingle() ? 1 : view.count(range, 0);
  }

  /// The size of the answer to a txn or a deletion; of a txn's two branches the larger.
  static long of(KvView view, Request request) throws IOException {
    return switch (request) {
      case Request.DeleteRange delete -> delete.prevKv() ? whole(view, delete.keys(), RangeOptions.LATEST) : 0;
      case Request.Txn txn -> Math.max(of(view, txn.success()), of(view, txn.failure()));
      default -> 0;
    };
  }

  private static long of(KvView view, List<Request.Op> ops) throws IOException {
    long sum = 0;
    for (Request.Op op : ops) {
      sum +=
          switch (op) {
            case Request.Range range -> range.countOnly() ? 0 : ofNested(view, range);
            case Request.Put put ->
                put.prevKv() ? whole(view, KeyRange.single(put.key()), RangeOptions.LATEST) : 0;
            case Request.DeleteRange delete -> of(view, delete);
            case Request.Txn txn -> of(view, txn);
            case Request.Unset _ -> 0;
          };
    }
    return sum;
  }

  private static long ofNested(KvView view, Request.Range range) throws IOException {
    try {
      return ofWhole(view, range);
    } catch (EtcdException refused) {
      return 0; // whoever runs it says so, in the words for its place
    }
  }

  /// What a range takes while it is read, filtered and sorted whole. A limit counts only where it is obeyed while
  /// reading.
  ///
  /// @throws EtcdException `COMPACTED` or `FUTURE_REV`
  static long ofWhole(KvView view, Request.Range request) throws IOException {
    RangeOptions options = request.options();
    return KeyScan.suits(options)
        ? whole(view, request.keys(), options)
        : whole(view, request.keys(), RangeOptions.LATEST.at(options.revision()));
  }

  private static long whole(KvView view, KeyRange range, RangeOptions options) throws IOException {
    KeyScan scan = new KeyScan(view, range, options);
    boolean more = true;
    while (more) {
      more = scan.measure(view, MEASURE_KEYS);
    }
    return scan.bytes() + scan.records() * KEY_OVERHEAD_BYTES;
  }
}
