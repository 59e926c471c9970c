package dev.kvorum.state;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.Request.Op;
import dev.kvorum.state.keys.KeyRange;
import dev.kvorum.state.keys.KvTxn;
import dev.kvorum.state.keys.RangeOptions;
import dev.kvorum.state.keys.StoredKv;
import dev.kvorum.state.lease.Leases;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The KV operations inside one write transaction: first everything that can be refused is, then everything is done.
///
/// A txn is checked whole, on the state before it, and by every member alike, also where nobody waits for its answer
/// and its ranges are not read: a member that skipped the check of a range at a compacted revision would apply what
/// the others refuse (etcd issue 18667).
///
/// Source: `apply-semantics.md` §3; etcd `server/etcdserver/txn/`.
final class KvWriter {
  private static final byte[][] NONE = {};

  private final KvTxn txn;
  private final Leases leases;
  private final boolean answered;
  private final KvReads reads;

  /// @param answered whether anybody waits for the answer; if not, ranges are not read
  KvWriter(KvTxn txn, Leases leases, boolean answered) {
    this.txn = txn;
    this.leases = leases;
    this.answered = answered;
    this.reads = KvReads.of(txn);
  }

  Response.Put put(Request.Put put) throws CorruptionException {
    byte[] previous = checkPut(put);
    return doPut(put, previous);
  }

  /// @return the key's present record, if the request needs it and there is one
  private byte @Nullable [] checkPut(Request.Put put) throws CorruptionException {
    if (put.lease() != 0 && !leases.contains(put.lease())) {
      throw EtcdException.of(EtcdError.LEASE_NOT_FOUND);
    }
    if (!put.readsPrevious()) {
      return null;
    }
    byte[] previous = txn.get(put.key());
    if (previous == null && (put.ignoreValue() || put.ignoreLease())) {
      throw EtcdException.of(EtcdError.KEY_NOT_FOUND);
    }
    return previous;
  }

  private Response.Put doPut(Request.Put put, byte @Nullable [] previous) {
    Bytes value = put.value();
    long lease = put.lease();
    if (put.ignoreValue() || put.ignoreLease()) {
      // Absent here only where an earlier operation of the same txn deleted it, which we do not propose (see
      // TxnVanishing), but etcd does. etcd panics then, on every member; we take what is absent for empty.
      StoredKv kept = previous == null ? null : StoredKv.decode(previous);
      if (put.ignoreValue()) {
        value = kept == null ? Bytes.EMPTY : kept.value();
      }
      if (put.ignoreLease()) {
        lease = kept == null || !leases.contains(kept.lease()) ? 0 : kept.lease();
      }
    }
    txn.put(put.key(), value, lease);
    return new Response.Put(txn.revision(), put.prevKv() ? previous : null);
  }

  Response.DeleteRange deleteRange(Request.DeleteRange delete) throws CorruptionException {
    KeyRange keys = delete.keys();
    byte[][] previous = delete.prevKv() ? txn.range(keys, RangeOptions.LATEST).kvs() : NONE;
    long deleted = txn.deleteRange(keys);
    return new Response.DeleteRange(txn.revision(), deleted, previous);
  }

  /// @throws EtcdException before anything was changed
  Response.Txn txn(Request.Txn request) throws CorruptionException {
    TxnPath path = TxnPath.evaluate(reads, request);
    check(request, path.walk());
    return execute(request, path.walk());
  }

  private void check(Request.Txn request, TxnPath.Walk walk) throws CorruptionException {
    for (Op op : walk.succeeds() ? request.success() : request.failure()) {
      switch (op) {
        case Request.Range range -> reads.checkRevision(range.revision());
        case Request.Put put -> checkPut(put);
        case Request.Txn nested -> check(nested, walk);
        case Request.DeleteRange _, Request.Unset _ -> {}
      }
    }
  }

  private Response.Txn execute(Request.Txn request, TxnPath.Walk walk) throws CorruptionException {
    boolean succeeded = walk.succeeds();
    List<Op> ops = succeeded ? request.success() : request.failure();
    List<Response.Op> responses = new ArrayList<>(ops.size());
    for (Op op : ops) {
      responses.add(switch (op) {
        case Request.Range range -> range(range);
        case Request.Put put -> doPut(put, put.readsPrevious() ? txn.get(put.key()) : null);
        case Request.DeleteRange delete -> deleteRange(delete);
        case Request.Txn nested -> execute(nested, walk);
        case Request.Unset _ -> Response.Nothing.INSTANCE;
      });
    }
    return new Response.Txn(txn.revision(), succeeded, responses);
  }

  Response.Range range(Request.Range range) throws CorruptionException {
    return answered
        ? KvReader.response(txn.range(range.keys(), range.options()))
        : new Response.Range(txn.revision(), NONE, false, 0);
  }
}
