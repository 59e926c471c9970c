package dev.kvorum.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.api.etcdserverpb.AlarmRequest;
import dev.kvorum.api.etcdserverpb.InternalRaftRequest;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RequestOp;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.alarm.AlarmType;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RequestCodecTest {
  private static final RequestHeader HEADER = RequestHeader.of(0xa394a2061908c704L);
  private static final Bytes A = Bytes.utf8("a");
  private static final Bytes B = Bytes.utf8("b");

  @Test
  void aPutIsTheBytesEtcdWrote() {
    byte[] entry = RequestCodec.encode(HEADER, Request.Put.of(Bytes.utf8("foo"), Bytes.utf8("bar")));
    assertThat(HexFormat.of().formatHex(entry)).isEqualTo("220a0a03666f6f1203626172a2060b08848ea3c8e1c0a8caa301");
  }

  @Test
  void aPutEtcdWroteIsRead() throws Exception {
    byte[] entry = HexFormat.of().parseHex("220a0a03666f6f1203626172a2060b08848ea3c8e1c0a8caa301");
    Proposal read = RequestCodec.decode(entry);
    assertThat(read).isEqualTo(new Proposal(HEADER, Request.Put.of(Bytes.utf8("foo"), Bytes.utf8("bar"))));
  }

  static Stream<Request> everyKindOfRequest() {
    return Stream.of(
        Request.Range.of(A, Bytes.EMPTY),
        new Request.Range(A, B, -1, -2, Request.SortOrder.DESCEND, Request.SortTarget.VALUE, true, true, true, 1, 2, 3,
            4),
        new Request.Put(A, B, -7, true, true, true),
        Request.Put.of(Bytes.EMPTY, Bytes.EMPTY),
        Request.Put.of(A, Bytes.wrap(new byte[70_000])),
        new Request.DeleteRange(A, B, true),
        new Request.Txn(List.of(), List.of(), List.of()),
        new Request.Txn(
            List.of(
                Compare.version(A, Compare.Result.EQUAL, 0),
                Compare.createRevision(A, Compare.Result.GREATER, 5),
                Compare.modRevision(A, Compare.Result.LESS, -5),
                Compare.lease(A, Compare.Result.NOT_EQUAL, 9),
                Compare.value(A, Compare.Result.EQUAL, Bytes.EMPTY),
                Compare.value(A, Compare.Result.UNKNOWN, B).over(B),
                new Compare(Compare.Result.EQUAL, Compare.Target.UNKNOWN, A, Bytes.EMPTY, 0, Bytes.EMPTY)),
            List.of(Request.Put.of(A, B), Request.Range.of(A, B), Request.Unset.INSTANCE),
            List.of(
                Request.DeleteRange.of(A, B),
                new Request.Txn(List.of(), List.of(Request.Put.of(A, Bytes.wrap(new byte[600]))), List.of()))),
        new Request.Compact(12, true),
        new Request.LeaseGrant(-1, 5),
        new Request.LeaseRevoke(-5),
        new Request.LeaseCheckpoint(List.of(new Request.LeaseCheckpoint.Remaining(1, 2))),
        new Request.Alarm(Request.Alarm.Action.ACTIVATE, -1, AlarmType.CORRUPT),
        new Request.Alarm(Request.Alarm.Action.UNKNOWN, 1, new AlarmType(9)),
        new Request.ClusterVersionSet("3.7.0"),
        new Request.MemberAttributesSet(-5, "ä", List.of("http://x:1", "http://y:2")),
        new Request.DowngradeInfoSet(true, "3.6.0"),
        new Request.DowngradeVersionTest("3.9.0"),
        new AuthRequest.Enable(),
        new AuthRequest.Disable(),
        new AuthRequest.Status(),
        new AuthRequest.Authenticate("u", "p", "t"),
        new AuthRequest.UserAdd("u", "p", new AuthRequest.UserAdd.Options(true), "h"),
        new AuthRequest.UserAdd("u", "", new AuthRequest.UserAdd.Options(false), ""),
        new AuthRequest.UserAdd("u", "", null, ""),
        new AuthRequest.UserDelete("u"),
        new AuthRequest.UserGet("u"),
        new AuthRequest.UserChangePassword("u", "p", "h"),
        new AuthRequest.UserGrantRole("u", "r"),
        new AuthRequest.UserRevokeRole("u", "r"),
        new AuthRequest.UserList(),
        new AuthRequest.RoleList(),
        new AuthRequest.RoleAdd("r"),
        new AuthRequest.RoleDelete("r"),
        new AuthRequest.RoleGet("r"),
        new AuthRequest.RoleGrantPermission("r", new AuthRequest.Permission(2, A, B)),
        new AuthRequest.RoleGrantPermission("r", null),
        new AuthRequest.RoleRevokePermission("r", A, B));
  }

  @ParameterizedTest
  @MethodSource("everyKindOfRequest")
  void whatIsWrittenIsReadBack(Request request) throws Exception {
    RequestHeader header = new RequestHeader(-1, "alice", 7);
    assertThat(RequestCodec.decode(RequestCodec.encode(header, request))).isEqualTo(new Proposal(header, request));
  }

  @ParameterizedTest
  @MethodSource("everyKindOfRequest")
  void whatIsWrittenIsWhatProtobufWrites(Request request) throws Exception {
    byte[] entry = RequestCodec.encode(new RequestHeader(1, "alice", 7), request);
    assertThat(InternalRaftRequest.parseFrom(entry).toByteArray()).isEqualTo(entry);
  }

  @Test
  void randomKvRequestsAreWrittenAsProtobufWritesThemAndReadBack() throws Exception {
    Random random = Seeds.random("randomKvRequestsAreWrittenAsProtobufWritesThemAndReadBack");
    RandomRequests requests = new RandomRequests(random, 1_000);
    for (int i = 0; i < 3_000; i++) {
      Request request = switch (random.nextInt(4)) {
        case 0 -> requests.put(1, -1, Long.MAX_VALUE);
        case 1 -> requests.range();
        case 2 -> requests.delete();
        default -> requests.txn(3, 5, -5);
      };
      byte[] entry = RequestCodec.encode(HEADER, request);
      assertThat(InternalRaftRequest.parseFrom(entry).toByteArray()).isEqualTo(entry);
      assertThat(RequestCodec.decode(entry).request()).isEqualTo(request);
    }
  }

  @Test
  void theIdOutsideTheHeaderWinsAndSufficesAlone() throws Exception {
    InternalRaftRequest.Builder entry =
        InternalRaftRequest.newBuilder().setID(5).setPut(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("a")));
    assertThat(RequestCodec.decode(entry.build().toByteArray()).header()).isEqualTo(RequestHeader.of(5));
    entry.getHeaderBuilder().setID(6).setUsername("u");
    assertThat(RequestCodec.decode(entry.build().toByteArray()).header()).isEqualTo(new RequestHeader(5, "u", 0));
  }

  @Test
  void anEntryWithoutIdOrWithoutRequestIsRefused() {
    byte[] noId = InternalRaftRequest.newBuilder().setPut(PutRequest.getDefaultInstance()).build().toByteArray();
    assertThatThrownBy(() -> RequestCodec.decode(noId)).isInstanceOf(WireFormatException.class);
    byte[] nothing = InternalRaftRequest.newBuilder().setID(1).build().toByteArray();
    assertThatThrownBy(() -> RequestCodec.decode(nothing)).isInstanceOf(WireFormatException.class);
  }

  @Test
  void ofSeveralRequestsTheOneEtcdWouldDispatchIsRead() throws Exception {
    InternalRaftRequest.Builder entry = InternalRaftRequest.newBuilder().setID(1);
    entry.getPutBuilder().setKey(ByteString.copyFromUtf8("a"));
    entry.getTxnBuilder();
    assertThat(RequestCodec.decode(entry.build().toByteArray()).request()).isInstanceOf(Request.Put.class);
    entry.getAlarmBuilder().setAction(AlarmRequest.AlarmAction.GET);
    assertThat(RequestCodec.decode(entry.build().toByteArray()).request()).isInstanceOf(Request.Put.class);
    entry.getClusterVersionSetBuilder().setVer("3.7.0");
    assertThat(RequestCodec.decode(entry.build().toByteArray()).request())
        .isEqualTo(new Request.ClusterVersionSet("3.7.0"));
  }

  @Test
  void anOperandOfAnotherTargetCountsForNothing() throws Exception {
    var txn = TxnRequest.newBuilder();
    txn.addCompareBuilder().setTargetValue(0).setModRevision(9);
    txn.addCompareBuilder().setTargetValue(3).setLease(9);
    txn.addCompareBuilder().setTargetValue(77).setResultValue(77).setVersion(9);
    assertThat(RequestCodec.decodeTxn(txn.build().toByteArray()).compares())
        .extracting(Compare::target, Compare::result, Compare::number, Compare::value)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(Compare.Target.VERSION, Compare.Result.EQUAL, 0L, Bytes.EMPTY),
            org.assertj.core.groups.Tuple.tuple(Compare.Target.VALUE, Compare.Result.EQUAL, 0L, Bytes.EMPTY),
            org.assertj.core.groups.Tuple.tuple(Compare.Target.UNKNOWN, Compare.Result.UNKNOWN, 0L, Bytes.EMPTY));
  }

  @Test
  void unknownFieldsOfEveryWireTypeArePassedOver() throws Exception {
    byte[] put = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("a")).build().toByteArray();
    // Field 50: varint, fixed64, bytes, group (with a nested one), fixed32.
    byte[] unknown = HexFormat.of().parseHex(
        "900301" + "91030102030405060708" + "92030161" + "93030801" + "1314" + "9403" + "950301020304");
    byte[] both = new byte[put.length + unknown.length];
    System.arraycopy(unknown, 0, both, 0, unknown.length);
    System.arraycopy(put, 0, both, unknown.length, put.length);
    assertThat(RequestCodec.decodePut(both)).isEqualTo(Request.Put.of(A, Bytes.EMPTY));
  }

  @Test
  void anOperationThatNamesNothingIsUnset() throws Exception {
    TxnRequest txn = TxnRequest.newBuilder().addSuccess(RequestOp.getDefaultInstance()).build();
    assertThat(RequestCodec.decodeTxn(txn.toByteArray()).success()).containsExactly(Request.Unset.INSTANCE);
  }

  @Test
  void txnsNestedWithoutMeasureAreRefused() {
    byte[] txn = new byte[0];
    for (int depth = 0; depth < 1_100; depth++) {
      txn = TxnRequest.newBuilder()
          .addSuccess(RequestOp.newBuilder().setRequestTxn(TxnRequest.newBuilder().mergeFrom(parsed(txn))))
          .build()
          .toByteArray();
      if (depth == 40) {
        break; // protobuf's own parser goes no deeper; the rest is wrapped by hand
      }
    }
    byte[] deep = txn;
    for (int i = 0; i < 1_100; i++) {
      deep = wrap(0x12, wrap(0x22, deep));
    }
    byte[] tooDeep = deep;
    assertThatThrownBy(() -> RequestCodec.decodeTxn(tooDeep)).isInstanceOf(WireFormatException.class);
  }

  private static TxnRequest parsed(byte[] bytes) {
    try {
      return TxnRequest.parseFrom(bytes);
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] wrap(int tag, byte[] content) {
    var out = new java.io.ByteArrayOutputStream();
    out.write(tag);
    int rest = content.length;
    while (rest > 0x7f) {
      out.write(rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    out.write(rest);
    out.writeBytes(content);
    return out.toByteArray();
  }

  @Test
  void everyTruncationAndRandomDamageIsReadOrRefusedButNeverCrashes() {
    Random random = Seeds.random("everyTruncationAndRandomDamageIsReadOrRefusedButNeverCrashes");
    RandomRequests requests = new RandomRequests(random, 10);
    for (int i = 0; i < 300; i++) {
      byte[] entry = RequestCodec.encode(HEADER, requests.txn(2));
      for (int j = 0; j < 40; j++) {
        byte[] damaged = java.util.Arrays.copyOf(entry, random.nextInt(entry.length) + 1);
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
        try {
          RequestCodec.decode(damaged);
        } catch (WireFormatException expected) {
          assertThat(expected).hasMessageNotContaining("null");
        }
      }
    }
  }
}
