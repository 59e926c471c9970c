package dev.kvorum.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.ResponseHeader;
import dev.kvorum.api.etcdserverpb.ResponseOp;
import dev.kvorum.api.etcdserverpb.TxnResponse;
import dev.kvorum.api.mvccpb.KeyValue;
import dev.kvorum.api.raftpb.HardState;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProtoWriterTest {
  private static final long SEED = Long.getLong("kvorum.seed", System.nanoTime());

  private final Random random = new Random(SEED);

  @Test
  void randomNestedAnswersEqualWhatTheGeneratedClassesWrite() throws IOException {
    System.out.println("ProtoWriterTest seed " + SEED);
    for (int i = 0; i < 2_000; i++) {
      TxnResponse message = randomTxn(3);
      ProtoWriter writer = new ProtoWriter(random.nextInt(64));
      write(writer, message);
      assertThat(writer.size()).isEqualTo(message.getSerializedSize());
      Encoded encoded = writer.finish();
      assertThat(encoded.size()).isEqualTo(message.getSerializedSize());
      assertThat(encoded.toByteArray()).isEqualTo(message.toByteArray());
      assertStreamsAlike(encoded, message.toByteArray());
    }
  }

  private TxnResponse randomTxn(int depth) {
    TxnResponse.Builder txn = TxnResponse.newBuilder().setHeader(randomHeader()).setSucceeded(random.nextBoolean());
    for (int i = random.nextInt(4); i > 0; i--) {
      ResponseOp.Builder op = txn.addResponsesBuilder();
      if (depth > 0 && random.nextInt(3) == 0) {
        op.setResponseTxn(randomTxn(depth - 1));
      } else {
        op.setResponseRange(randomRange());
      }
    }
    return txn.build();
  }

  private RangeResponse randomRange() {
    RangeResponse.Builder range = RangeResponse.newBuilder().setHeader(randomHeader());
    for (int i = random.nextInt(5); i > 0; i--) {
      range.addKvs(randomKeyValue());
    }
    return range.setMore(random.nextBoolean()).setCount(randomNumber()).build();
  }

  private ResponseHeader randomHeader() {
    return ResponseHeader.newBuilder()
        .setClusterId(randomNumber())
        .setMemberId(randomNumber())
        .setRevision(randomNumber())
        .setRaftTerm(randomNumber())
        .build();
  }

  private KeyValue randomKeyValue() {
    byte[] value = new byte[random.nextInt(5) == 0 ? random.nextInt(40_000) : random.nextInt(600)];
    random.nextBytes(value);
    return KeyValue.newBuilder()
        .setKey(ByteString.copyFromUtf8("key" + random.nextInt()))
        .setModRevision(randomNumber())
        .setValue(ByteString.copyFrom(value))
        .build();
  }

  private long randomNumber() {
    return random.nextInt(4) == 0 ? 0 : random.nextLong() >> random.nextInt(64);
  }

  private void write(ProtoWriter writer, TxnResponse message) {
    write(writer, TxnResponse.HEADER_FIELD_NUMBER, message.getHeader());
    writer.flag(TxnResponse.SUCCEEDED_FIELD_NUMBER, message.getSucceeded());
    for (ResponseOp response : message.getResponsesList()) {
      int op = writer.open(TxnResponse.RESPONSES_FIELD_NUMBER);
      if (response.hasResponseTxn()) {
        int txn = writer.open(ResponseOp.RESPONSE_TXN_FIELD_NUMBER);
        write(writer, response.getResponseTxn());
        writer.close(txn);
      } else {
        int range = writer.open(ResponseOp.RESPONSE_RANGE_FIELD_NUMBER);
        write(writer, response.getResponseRange());
        writer.close(range);
      }
      writer.close(op);
    }
  }

  private void write(ProtoWriter writer, RangeResponse message) {
    write(writer, RangeResponse.HEADER_FIELD_NUMBER, message.getHeader());
    for (KeyValue kv : message.getKvsList()) {
      writeKeyValue(writer, kv);
    }
    writer.flag(RangeResponse.MORE_FIELD_NUMBER, message.getMore());
    writer.number(RangeResponse.COUNT_FIELD_NUMBER, message.getCount());
  }

  /// By each of the ways there are.
  private void writeKeyValue(ProtoWriter writer, KeyValue kv) {
    byte[] stored = kv.toByteArray();
    switch (random.nextInt(4)) {
      case 0 -> writer.splice(RangeResponse.KVS_FIELD_NUMBER, stored);
      case 1 -> {
        byte[] page = new byte[stored.length + 11];
        System.arraycopy(stored, 0, page, 7, stored.length);
        writer.bytesAlways(RangeResponse.KVS_FIELD_NUMBER, MemorySegment.ofArray(page), 7, stored.length);
      }
      case 2 -> {
        byte[] whole = RangeResponse.newBuilder().addKvs(kv).build().toByteArray();
        writer.append(whole, 0, whole.length);
      }
      default -> {
        int open = writer.open(RangeResponse.KVS_FIELD_NUMBER);
        writer.bytes(KeyValue.KEY_FIELD_NUMBER, kv.getKey().toByteArray());
        writer.number(KeyValue.MOD_REVISION_FIELD_NUMBER, kv.getModRevision());
        writer.bytes(KeyValue.VALUE_FIELD_NUMBER, kv.getValue().toByteArray());
        writer.close(open);
      }
    }
  }

  private static void write(ProtoWriter writer, int field, ResponseHeader header) {
    int mark = writer.open(field);
    writer.number(ResponseHeader.CLUSTER_ID_FIELD_NUMBER, header.getClusterId());
    writer.number(ResponseHeader.MEMBER_ID_FIELD_NUMBER, header.getMemberId());
    writer.number(ResponseHeader.REVISION_FIELD_NUMBER, header.getRevision());
    writer.number(ResponseHeader.RAFT_TERM_FIELD_NUMBER, header.getRaftTerm());
    writer.close(mark);
  }

  private void assertStreamsAlike(Encoded encoded, byte[] expected) throws IOException {
    InputStream stream = encoded.stream();
    assertThat(stream).isInstanceOf(KnownLength.class).isInstanceOf(Drainable.class);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int first = random.nextInt(expected.length + 1);
    out.write(stream.readNBytes(first));
    assertThat(stream.available()).isEqualTo(expected.length - first);
    assertThat(((Drainable) stream).drainTo(out)).isEqualTo(expected.length - first);
    assertThat(stream.read()).isEqualTo(-1);
    assertThat(out.toByteArray()).isEqualTo(expected);
    assertThat(Encoded.marshaller().parse(encoded.stream()).toByteArray()).isEqualTo(expected);
  }

  @Test
  void longSplicesAreNotCopied() {
    byte[] stored = new byte[ProtoWriter.SPLICE_BYTES_MIN];
    ProtoWriter writer = new ProtoWriter(16);
    writer.splice(2, stored);
    writer.splice(2, stored);
    writer.splice(2, new byte[ProtoWriter.SPLICE_BYTES_MIN - 1]);
    assertThat(writer.finish().sliceCount()).as("head, splice, head, splice, the rest").isEqualTo(5);
  }

  @Test
  void defaultsAreLeftOutUnlessAskedFor() {
    ProtoWriter writer = new ProtoWriter(0);
    writer.number(1, 0);
    writer.flag(2, false);
    writer.bytes(3, new byte[0]);
    writer.text(4, "");
    assertThat(writer.size()).isZero();
    writer.numberAlways(1, 0);
    writer.numberAlways(2, 0);
    writer.numberAlways(3, 0);
    HardState zeros = HardState.newBuilder().setTerm(0).setVote(0).setCommit(0).build();
    assertThat(writer.toByteArray()).isEqualTo(zeros.toByteArray());
  }

  @Test
  void varintsAreAsLongAsProtobufSays() {
    for (int shift = 0; shift < 64; shift++) {
      for (long value : new long[] {1L << shift, (1L << shift) - 1, -1L << shift}) {
        assertThat(ProtoWriter.varintSize(value)).isEqualTo(CodedOutputStream.computeUInt64SizeNoTag(value));
      }
    }
  }

  @Test
  void anOpenSubMessageIsNotFinished() {
    ProtoWriter writer = new ProtoWriter(8);
    writer.open(1);
    assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void emptyIsEmpty() throws IOException {
    assertThat(Encoded.EMPTY.size()).isZero();
    assertThat(Encoded.EMPTY.stream().read()).isEqualTo(-1);
    assertThat(Encoded.of(RangeResponse.getDefaultInstance()).toByteArray()).isEmpty();
  }
}
