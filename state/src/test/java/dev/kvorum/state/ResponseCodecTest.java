package dev.kvorum.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvorum.api.etcdserverpb.AlarmMember;
import dev.kvorum.api.etcdserverpb.AlarmResponse;
import dev.kvorum.api.etcdserverpb.AlarmType;
import dev.kvorum.api.etcdserverpb.CompactionResponse;
import dev.kvorum.api.etcdserverpb.DeleteRangeResponse;
import dev.kvorum.api.etcdserverpb.LeaseGrantResponse;
import dev.kvorum.api.etcdserverpb.LeaseRevokeResponse;
import dev.kvorum.api.etcdserverpb.PutResponse;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.ResponseHeader;
import dev.kvorum.api.etcdserverpb.ResponseOp;
import dev.kvorum.api.etcdserverpb.TxnResponse;
import dev.kvorum.api.mvccpb.KeyValue;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Written by hand, read and written again by protobuf.
class ResponseCodecTest {
  private static final ResponseCodec.Responder RESPONDER = new ResponseCodec.Responder(-1, 2, 3);
  private static final KeyValue SMALL =
      KeyValue.newBuilder()
          .setKey(ByteString.copyFromUtf8("k")).setCreateRevision(2).setModRevision(3).setVersion(2).build();
  private static final KeyValue LARGE = SMALL.toBuilder().setValue(ByteString.copyFrom(new byte[100_000])).build();
  private static final byte[][] KVS = {SMALL.toByteArray(), LARGE.toByteArray()};

  private static ResponseHeader header(long revision) {
    return ResponseHeader.newBuilder().setClusterId(-1).setMemberId(2).setRevision(revision).setRaftTerm(3).build();
  }

  private static ResponseHeader nested(long revision) {
    return ResponseHeader.newBuilder().setRevision(revision).build();
  }

  private static byte[] encode(Response response) {
    return ResponseCodec.encode(response, RESPONDER).toByteArray();
  }

  @Test
  void rangesEmbedStoredKeyValues() {
    RangeResponse expected =
        RangeResponse.newBuilder().setHeader(header(9)).addKvs(SMALL).addKvs(LARGE).setMore(true).setCount(7).build();
    assertThat(encode(new Response.Range(9, KVS, true, 7))).isEqualTo(expected.toByteArray());
  }

  @Test
  void putsTellWhatWasThereOnlyIfAsked() {
    assertThat(encode(new Response.Put(9,
        null))).isEqualTo(PutResponse.newBuilder().setHeader(header(9)).build().toByteArray());
    assertThat(encode(new Response.Put(9, KVS[1])))
        .isEqualTo(PutResponse.newBuilder().setHeader(header(9)).setPrevKv(LARGE).build().toByteArray());
  }

  @Test
  void deletionsCount() {
    DeleteRangeResponse expected =
        DeleteRangeResponse.newBuilder().setHeader(header(9)).setDeleted(2).addPrevKvs(SMALL).addPrevKvs(LARGE).build();
    assertThat(encode(new Response.DeleteRange(9, 2, KVS))).isEqualTo(expected.toByteArray());
  }

  @Test
  void answersInsideATxnHaveSmallHeaders() {
    Response.Txn inner = new Response.Txn(9, false, List.of(new Response.Put(9, null)));
    Response.Txn txn =
        new Response.Txn(
            9, true,
            List.of(
                new Response.Range(8, KVS, false, 2), new Response.Put(9, KVS[0]),
                new Response.DeleteRange(9, 0, new byte[0][]), inner, Response.Nothing.INSTANCE));
    TxnResponse expected =
        TxnResponse.newBuilder()
            .setHeader(header(9))
            .setSucceeded(true)
            .addResponses(ResponseOp.newBuilder().setResponseRange(
                RangeResponse.newBuilder().setHeader(nested(8)).addKvs(SMALL).addKvs(LARGE).setCount(2)))
            .addResponses(ResponseOp.newBuilder().setResponsePut(
                PutResponse.newBuilder().setHeader(nested(9)).setPrevKv(SMALL)))
            .addResponses(ResponseOp.newBuilder().setResponseDeleteRange(
                DeleteRangeResponse.newBuilder().setHeader(nested(9))))
            .addResponses(ResponseOp.newBuilder().setResponseTxn(
                TxnResponse.newBuilder()
                    .setHeader(ResponseHeader.getDefaultInstance())
                    .addResponses(ResponseOp.newBuilder().setResponsePut(
                        PutResponse.newBuilder().setHeader(nested(9))))))
            .addResponses(ResponseOp.getDefaultInstance())
            .build();
    assertThat(encode(txn)).isEqualTo(expected.toByteArray());
  }

  @Test
  void theSmallOnesAreWhatProtobufWrites() {
    assertThat(encode(new Response.Compact(9)))
        .isEqualTo(CompactionResponse.newBuilder().setHeader(header(9)).build().toByteArray());
    assertThat(encode(new Response.LeaseGrant(9, -5, 60)))
        .isEqualTo(LeaseGrantResponse.newBuilder().setHeader(header(9)).setID(-5).setTTL(60).build().toByteArray());
    assertThat(encode(new Response.LeaseRevoke(9)))
        .isEqualTo(LeaseRevokeResponse.newBuilder().setHeader(header(9)).build().toByteArray());
    assertThat(encode(new Response.Alarm(
            9, List.of(new dev.kvorum.state.alarm.AlarmMember(5, dev.kvorum.state.alarm.AlarmType.CORRUPT)))))
        .isEqualTo(
            AlarmResponse.newBuilder()
                .setHeader(header(9))
                .addAlarms(AlarmMember.newBuilder().setMemberID(5).setAlarm(AlarmType.CORRUPT))
                .build()
                .toByteArray());
  }
}
