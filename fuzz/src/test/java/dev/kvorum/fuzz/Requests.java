package dev.kvorum.fuzz;

import com.google.protobuf.ByteString;
import dev.kvorum.api.etcdserverpb.Compare;
import dev.kvorum.api.etcdserverpb.DeleteRangeRequest;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RequestOp;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestCodec;
import dev.kvorum.state.alarm.AlarmType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Requests of most kinds, to begin from.
final class Requests {
  private Requests() {}

  static List<Request> all() throws IOException {
    List<Request> all = new ArrayList<>();
    all.add(Request.Put.of(Bytes.utf8("a"), Bytes.utf8("1")));
    all.add(new Request.LeaseGrant(60, 7));
    all.add(new Request.Put(Bytes.utf8("b"), Bytes.utf8("2"), 7, true, false, false));
    all.add(new Request.Put(Bytes.utf8("a"), Bytes.EMPTY, 0, true, true, true));
    all.add(RequestCodec.decodeRange(new byte[] {0x0A, 1, 'a', 0x12, 1, 0}));
    all.add(txn());
    all.add(Request.DeleteRange.of(Bytes.utf8("a"), Bytes.EMPTY));
    all.add(new Request.DeleteRange(Bytes.utf8("a"), Bytes.utf8("c"), true));
    all.add(Request.Put.of(Bytes.utf8("c"), Bytes.wrap(new byte[40])));
    all.add(new Request.Compact(3, true));
    all.add(new Request.LeaseCheckpoint(List.of(new Request.LeaseCheckpoint.Remaining(7, 30))));
    all.add(new Request.LeaseRevoke(7));
    all.add(new Request.ClusterVersionSet("3.7.0"));
    all.add(new Request.MemberAttributesSet(9, "name", List.of("http://localhost:2379")));
    all.add(new Request.DowngradeInfoSet(true, "3.6.0"));
    all.add(new Request.DowngradeVersionTest("3.7.0"));
    all.add(new Request.Alarm(Request.Alarm.Action.ACTIVATE, 9, new AlarmType(1)));
    return all;
  }

  /// A guard, a put and a nested txn, as a client would write it.
  private static Request txn() throws IOException {
    var put = RequestOp.newBuilder().setRequestPut(
        PutRequest.newBuilder()
            .setKey(ByteString.copyFromUtf8("d"))
            .setValue(ByteString.copyFromUtf8("4")));
    var delete = RequestOp.newBuilder().setRequestDeleteRange(
        DeleteRangeRequest.newBuilder()
            .setKey(ByteString.copyFromUtf8("b")));
    var nested = RequestOp.newBuilder().setRequestTxn(
        TxnRequest.newBuilder().addFailure(delete));
    return RequestCodec.decodeTxn(TxnRequest.newBuilder()
        .addCompare(Compare.newBuilder()
            .setKey(ByteString.copyFromUtf8("a"))
            .setModRevision(2)
            .setTarget(Compare.CompareTarget.MOD)
            .setResult(Compare.CompareResult.EQUAL))
        .addSuccess(put).addSuccess(nested).addFailure(delete)
        .build().toByteArray());
  }
}
