package dev.kvorum.sim.model;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.etcdserverpb.CompactionResponse;
import dev.kvorum.api.etcdserverpb.DeleteRangeResponse;
import dev.kvorum.api.etcdserverpb.LeaseGrantResponse;
import dev.kvorum.api.etcdserverpb.LeaseRevokeResponse;
import dev.kvorum.api.etcdserverpb.PutResponse;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.ResponseOp;
import dev.kvorum.api.etcdserverpb.TxnResponse;
import dev.kvorum.state.Request;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a client hears. `revision` is the header's; inside a txn it is 0, for it says nothing there.
public sealed interface Answer {
  long NO_REVISION = -1;

  /// [#NO_REVISION] when the answer has none.
  long revision();

  record Ranged(long revision, List<Kv> kvs, boolean more, long count) implements Answer {}

  /// @param previous null when there was none or it was not asked for
  record Put(long revision, @Nullable Kv previous) implements Answer {}

  record Deleted(long revision, long deleted, List<Kv> previous) implements Answer {}

  record Txn(long revision, boolean succeeded, List<Answer> answers) implements Answer {}

  record Compacted(long revision) implements Answer {}

  record Granted(long revision, long id) implements Answer {}

  record Revoked(long revision) implements Answer {}

  /// Nothing was done, and it says why.
  record Refused(EtcdError error) implements Answer {
    @Override
    public long revision() {
      return NO_REVISION;
    }
  }

  /// What the bytes of a response to `request` say.
  static Answer decode(Request request, byte[] response) {
    try {
      return switch (request) {
        case Request.Range _ -> of(RangeResponse.parseFrom(response), true);
        case Request.Put _ -> of(PutResponse.parseFrom(response), true);
        case Request.DeleteRange _ -> of(DeleteRangeResponse.parseFrom(response), true);
        case Request.Txn _ -> of(TxnResponse.parseFrom(response), true);
        case Request.Compact _ -> new Compacted(CompactionResponse.parseFrom(response).getHeader().getRevision());
        case Request.LeaseGrant _ -> {
          LeaseGrantResponse granted = LeaseGrantResponse.parseFrom(response);
          yield new Granted(granted.getHeader().getRevision(), granted.getID());
        }
        case Request.LeaseRevoke _ -> new Revoked(LeaseRevokeResponse.parseFrom(response).getHeader().getRevision());
        default -> throw new IllegalArgumentException("no client asks " + request);
      };
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an answer that is none", e);
    }
  }

  private static Answer of(RangeResponse range, boolean top) {
    return new Ranged(
        top ? range.getHeader().getRevision() : 0,
        range.getKvsList().stream().map(Kv::of).toList(),
        range.getMore(),
        range.getCount());
  }

  private static Answer of(PutResponse put, boolean top) {
    return new Put(top ? put.getHeader().getRevision() : 0, put.hasPrevKv() ? Kv.of(put.getPrevKv()) : null);
  }

  private static Answer of(DeleteRangeResponse delete, boolean top) {
    return new Deleted(
        top ? delete.getHeader().getRevision() : 0,
        delete.getDeleted(),
        delete.getPrevKvsList().stream().map(Kv::of).toList());
  }

  private static Answer of(TxnResponse txn, boolean top) {
    return new Txn(
        top ? txn.getHeader().getRevision() : 0,
        txn.getSucceeded(),
        txn.getResponsesList().stream().map(Answer::of).toList());
  }

  private static Answer of(ResponseOp op) {
    return switch (op.getResponseCase()) {
      case RESPONSE_RANGE -> of(op.getResponseRange(), false);
      case RESPONSE_PUT -> of(op.getResponsePut(), false);
      case RESPONSE_DELETE_RANGE -> of(op.getResponseDeleteRange(), false);
      case RESPONSE_TXN -> of(op.getResponseTxn(), false);
      case RESPONSE_NOT_SET -> throw new IllegalStateException("an empty answer inside a txn");
    };
  }
}
