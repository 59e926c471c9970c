package dev.kvorum.state;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import dev.kvorum.state.Request.Op;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.keys.RangeResult;
import java.util.ArrayList;
import java.util.List;

/// Reads that do not go through the log, from any thread: ranges, and txns that only read.
public final class KvReader {
  private KvReader() {}

  /// @throws dev.kvorum.api.EtcdException `COMPACTED` or `FUTURE_REV`
  public static Response.Range range(KvView view, Request.Range range) throws CorruptionException {
    return response(view.range(range.keys(), range.options()));
  }

  /// A txn for which [Request.Txn#readOnly] holds.
  ///
  /// @throws dev.kvorum.api.EtcdException `COMPACTED` or `FUTURE_REV`, for the branch that would run
  public static Response.Txn txn(KvView view, Request.Txn txn) throws CorruptionException {
    Invariant.check(txn.readOnly(), "a txn that writes must go through the log");
    KvReads reads = KvReads.of(view);
    boolean succeeded = TxnPath.evaluate(reads, txn).walk().succeeds();
    List<Op> ops = succeeded ? txn.success() : txn.failure();
    for (Op op : ops) {
      reads.checkRevision(((Request.Range) op).revision());
    }
    List<Response.Op> responses = new ArrayList<>(ops.size());
    for (Op op : ops) {
      responses.add(range(view, (Request.Range) op));
    }
    return new Response.Txn(view.currentRevision(), succeeded, responses);
  }

  static Response.Range response(RangeResult result) {
    return new Response.Range(result.revision(), result.kvs(), result.more(), result.count());
  }
}
