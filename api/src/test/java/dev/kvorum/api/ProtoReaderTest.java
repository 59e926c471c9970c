package dev.kvorum.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnknownFieldSet;
import dev.kvorum.api.raftpb.ConfState;
import dev.kvorum.api.raftpb.SnapshotMetadata;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ProtoReaderTest {
  private static final long SEED = Long.getLong("kvorum.seed", System.nanoTime());

  private static ProtoReader reader(String digits) {
    return new ProtoReader(bytes(digits));
  }

  private static byte[] bytes(String digits) {
    return HexFormat.of().parseHex(digits.replace(" ", ""));
  }

  @Test
  void everyVarintThatProtobufWritesIsRead() throws Exception {
    for (int shift = 0; shift < 64; shift++) {
      for (long value : new long[] {1L << shift, (1L << shift) - 1, -1L << shift}) {
        byte[] field = new byte[1 + CodedOutputStream.computeUInt64SizeNoTag(value)];
        CodedOutputStream out = CodedOutputStream.newInstance(field);
        out.writeUInt64(1, value);
        ProtoReader in = new ProtoReader(field);
        assertThat(in.next()).isEqualTo(1);
        assertThat(in.number()).isEqualTo(value);
        assertThat(in.next()).isZero();
      }
    }
  }

  @Test
  void varintsBeyond64BitsAreRefusedAsGoRefusesThem() throws Exception {
    ProtoReader largest = reader("08 ffffffffffffffffff01");
    largest.next();
    assertThat(largest.number()).isEqualTo(-1);
    for (String tooLong : List.of("08 ffffffffffffffffff02", "08 ffffffffffffffffffff01", "08 80808080808080808080")) {
      ProtoReader in = reader(tooLong);
      assertThat(in.next()).isEqualTo(1);
      assertThatThrownBy(in::number).as(tooLong).isInstanceOf(WireFormatException.class).hasMessageContaining("64");
    }
  }

  @Test
  void impossibleTagsAreRefused() {
    for (String tag : List.of("00", "05", "8080808010", "80", "ffffffffffffffffff7f")) {
      assertThatThrownBy(() -> reader(tag).next()).as(tag).isInstanceOf(WireFormatException.class);
    }
  }

  @Test
  void whatRunsPastTheEndIsRefusedBeforeItIsAllocated() throws Exception {
    for (String cut : List.of("0a 05 61", "0a ffffffff07 61", "0a ffffffffffffffffff01", "0a")) {
      ProtoReader in = reader(cut);
      in.next();
      assertThatThrownBy(in::bytes).as(cut).isInstanceOf(WireFormatException.class);
    }
    for (String cut : List.of("09 01020304", "0d 0102", "08", "0a 02 61", "0b", "0b 08 01", "0c", "0e", "0f")) {
      ProtoReader in = reader(cut);
      in.next();
      assertThatThrownBy(in::skip).as(cut).isInstanceOf(WireFormatException.class);
    }
  }

  @Test
  void aSubMessageEndsAtItsOwnEnd() throws Exception {
    ProtoReader in = reader("0a 02 0802 10 07");
    assertThat(in.next()).isEqualTo(1);
    int outer = in.enter();
    assertThat(in.next()).isEqualTo(1);
    assertThat(in.number()).isEqualTo(2);
    assertThat(in.next()).as("the sub-message's end").isZero();
    in.leave(outer);
    assertThat(in.next()).isEqualTo(2);
    assertThat(in.number()).isEqualTo(7);
    assertThat(in.next()).isZero();

    ProtoReader spilling = reader("0a 02 0a02 6161");
    spilling.next();
    spilling.enter();
    spilling.next();
    assertThatThrownBy(spilling::bytes).as("longer than what holds it").isInstanceOf(WireFormatException.class);
  }

  @Test
  void leavingEarlyGoesOnBehindTheSubMessage() throws Exception {
    ProtoReader in = reader("0a 04 0802 1003 10 07");
    in.next();
    int outer = in.enter();
    assertThat(in.limit() - in.position()).isEqualTo(4);
    in.leave(outer);
    assertThat(in.next()).isEqualTo(2);
    assertThat(in.number()).isEqualTo(7);
  }

  @Test
  void aWindowOfAnArrayIsReadAlone() throws Exception {
    ProtoReader in = new ProtoReader(bytes("ff 0801 ff"), 1, 3);
    assertThat(in.next()).isEqualTo(1);
    assertThat(in.number()).isEqualTo(1);
    assertThat(in.next()).isZero();
    assertThatThrownBy(() -> new ProtoReader(new byte[2], 1, 3)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void valuesReadAsWhatTheyAreNotAreRefused() throws Exception {
    ProtoReader text = reader("0a 01 61");
    text.next();
    assertThat(text.is(ProtoReader.LENGTH_DELIMITED)).isTrue();
    assertThatThrownBy(text::number).isInstanceOf(WireFormatException.class).hasMessageContaining("wire type 2");
    ProtoReader number = reader("08 01");
    number.next();
    assertThatThrownBy(number::bytes).isInstanceOf(WireFormatException.class).hasMessageContaining("wire type 0");
    ProtoReader latin = reader("0a 01 e9");
    latin.next();
    assertThatThrownBy(latin::text).isInstanceOf(WireFormatException.class).hasMessageContaining("UTF-8");
  }

  @Test
  void repeatedNumbersAreReadPackedOrNot() throws Exception {
    ProtoReader in = reader("08 01 0a 03 02ac02 08 04");
    List<Long> numbers = new ArrayList<>();
    while (in.next() != 0) {
      in.numbers(numbers::add);
    }
    assertThat(numbers).containsExactly(1L, 2L, 300L, 4L);
  }

  @Test
  void unknownFieldsOfAnyTypeAreSkipped() throws Exception {
    UnknownFieldSet group = UnknownFieldSet.newBuilder()
        .addField(2, UnknownFieldSet.Field.newBuilder().addGroup(UnknownFieldSet.getDefaultInstance()).build())
        .build();
    byte[] message = UnknownFieldSet.newBuilder()
        .addField(1, UnknownFieldSet.Field.newBuilder()
            .addVarint(-1).addFixed32(1).addFixed64(2).addLengthDelimited(com.google.protobuf.ByteString.EMPTY)
            .addGroup(group).build())
        .addField(9, UnknownFieldSet.Field.newBuilder().addVarint(5).build())
        .build()
        .toByteArray();
    ProtoReader in = new ProtoReader(message);
    int field = in.next();
    while (field == 1) {
      in.skip();
      field = in.next();
    }
    assertThat(field).isEqualTo(9);
    assertThat(in.number()).isEqualTo(5);
    ProtoReader crossed = reader("0b 14");
    crossed.next();
    assertThatThrownBy(crossed::skip).as("a group that ends as another").isInstanceOf(WireFormatException.class);
  }

  @Test
  void whatAMeasuredWriterWroteIsReadBackAndProtobufAgrees() throws Exception {
    SplittableRandom random = new SplittableRandom(SEED);
    System.out.println("ProtoReaderTest seed " + SEED);
    for (int round = 0; round < 1_000; round++) {
      long index = random.nextLong() >>> random.nextInt(64);
      long term = random.nextLong() >>> random.nextInt(64);
      long[] voters = random.longs(random.nextInt(40)).map(id -> id >>> random.nextInt(64)).toArray();
      byte[] written = measured(index, term, voters);
      SnapshotMetadata expected = SnapshotMetadata.newBuilder()
          .setConfState(ConfState.newBuilder().addAllVoters(java.util.Arrays.stream(voters).boxed().toList()))
          .setIndex(index).setTerm(term).build();
      assertThat(written).isEqualTo(expected.toByteArray());

      ProtoReader in = new ProtoReader(written);
      List<Long> read = new ArrayList<>();
      assertThat(in.next()).isEqualTo(1);
      int outer = in.enter();
      while (in.next() != 0) {
        in.numbers(read::add);
      }
      in.leave(outer);
      assertThat(read).containsExactlyElementsOf(java.util.Arrays.stream(voters).boxed().toList());
      assertThat(in.next()).isEqualTo(2);
      assertThat(in.number()).isEqualTo(index);
      assertThat(in.next()).isEqualTo(3);
      assertThat(in.number()).isEqualTo(term);
      assertThat(in.next()).isZero();
    }
  }

  private static byte[] measured(long index, long term, long[] voters) {
    int size = 0;
    for (long voter : voters) {
      size += ProtoWriter.numberAlwaysSize(1, voter);
    }
    ProtoWriter out = ProtoWriter.measured(ProtoWriter.bytesAlwaysSize(1, size)
        + ProtoWriter.numberAlwaysSize(2, index) + ProtoWriter.numberAlwaysSize(3, term));
    out.head(1, size);
    for (long voter : voters) {
      out.numberAlways(1, voter);
    }
    out.numberAlways(2, index);
    out.numberAlways(3, term);
    return out.toByteArray();
  }

  @Test
  void aWrongMeasureIsFoundWhenFinishing() {
    for (int wrong : new int[] {0, 1, 3, 100}) {
      ProtoWriter out = ProtoWriter.measured(wrong);
      out.number(1, 1);
      assertThatThrownBy(out::toByteArray).isInstanceOf(IllegalStateException.class).hasMessageContaining("wrote 2");
    }
  }

  @Test
  void damageIsReadOrRefusedButNeverCrashes() {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 20_000; round++) {
      byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      ProtoReader in = new ProtoReader(noise);
      try {
        while (in.next() != 0) {
          if (in.is(ProtoReader.LENGTH_DELIMITED) && random.nextBoolean()) {
            in.enter();
          } else {
            in.skip();
          }
        }
      } catch (WireFormatException clean) {
        assertThat(clean.getMessage()).startsWith("proto: ");
      }
    }
  }
}
