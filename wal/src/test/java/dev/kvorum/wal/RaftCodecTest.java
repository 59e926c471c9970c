package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Snapshot;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RaftCodecTest {
  private static final long A = 0x1fe5fea60ea7a394L;
  private static final long B = 0x2bb1d0f680a7b5c5L;

  static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits.replace(" ", ""));
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void normalEntriesOfBothGenerationsReadAlike() throws Exception {
    Entry entry = Entry.normal(2, 7, Bytes.utf8("abc"));
    assertThat(hex(RaftCodec.encode(entry))).isEqualTo("1002" + "1807" + "2203616263");
    assertThat(RaftCodec.decodeEntry(hex("1002 1807 2203616263"))).isEqualTo(entry);
    assertThat(RaftCodec.decodeEntry(hex("0800 1002 1807 2203616263"))).isEqualTo(entry);
    assertThat(RaftCodec.decodeEntry(hex("0800 1002 1807 2200"))).isEqualTo(Entry.normal(2, 7, Bytes.EMPTY));
  }

  @Test
  void confChangeEntryLooksAsRestoreWritesIt() throws Exception {
    ConfChange.V1 change = new ConfChange.V1(0, ConfChange.Type.ADD_NODE, A, Bytes.utf8("{}"));
    byte[] data = ConfChangeCodec.encode(change).array();
    assertThat(hex(data)).isEqualTo("1000" + "1894c79ef5e0d4fff21f" + "22027b7d");
    assertThat(ConfChangeCodec.decodeV1(Bytes.wrap(data))).isEqualTo(change);
    Entry entry = new Entry(EntryType.CONF_CHANGE, 1, 1, Bytes.wrap(data));
    assertThat(hex(RaftCodec.encode(entry))).startsWith("0801" + "1001" + "1801" + "22");
    assertThat(RaftCodec.decodeEntry(RaftCodec.encode(entry))).isEqualTo(entry);
  }

  @Test
  void hardStateAlwaysSaysAllThree() throws Exception {
    assertThat(hex(RaftCodec.encode(new HardState(2, B, 6)))).isEqualTo("080210c5eb9e85e89ef4d82b1806");
    assertThat(hex(RaftCodec.encode(new HardState(1, 0, 0)))).isEqualTo("080110001800");
    assertThat(RaftCodec.decodeHardState(hex("0802"))).isEqualTo(new HardState(2, 0, 0));
  }

  @Test
  void snapshotMarkMatchesEtcds() throws Exception {
    ConfState confState = ConfState.of(List.of(A, B), List.of());
    byte[] mark = RecordCodec.encode(new WalSnapshot(98, 2, confState));
    assertThat(hex(mark)).isEqualTo("086210021a160894c79ef5e0d4fff21f08c5eb9e85e89ef4d82b2800");
    assertThat(RecordCodec.decodeSnapshot(new ProtoReader(mark))).isEqualTo(new WalSnapshot(98, 2, confState));
    assertThat(hex(RecordCodec.encode(WalSnapshot.EMPTY))).isEqualTo("08001000");
  }

  @Test
  void snapshotMetadataMatchesEtcds() {
    Snapshot snapshot = new Snapshot(Bytes.utf8("{"), ConfState.of(List.of(A, B), List.of()), 0x33, 2);
    assertThat(hex(RaftCodec.encode(snapshot)))
        .isEqualTo("0a017b" + "121c" + "0a160894c79ef5e0d4fff21f08c5eb9e85e89ef4d82b2800" + "10331802");
  }

  @Test
  void packedAndUnpackedVotersReadAlike() throws Exception {
    ConfState expected = ConfState.of(List.of(1L, 2L, 300L), List.of(4L));
    assertThat(RaftCodec.decodeConfState(hex("0801 0802 08ac02 1004 2800"))).isEqualTo(expected);
    assertThat(RaftCodec.decodeConfState(hex("0a04 0102ac02 120104"))).isEqualTo(expected);
  }

  @Test
  void protobufReadsWhatWeWriteAndBack() throws Exception {
    SplittableRandom random = Seeds.random("protobufReadsWhatWeWriteAndBack");
    for (int round = 0; round < 2000; round++) {
      Entry entry = randomEntry(random);
      var proto = dev.kvorum.api.raftpb.Entry.parseFrom(RaftCodec.encode(entry));
      assertThat(proto.getType().getNumber()).isEqualTo(entry.type().ordinal());
      assertThat(proto.getTerm()).isEqualTo(entry.term());
      assertThat(proto.getIndex()).isEqualTo(entry.index());
      assertThat(proto.getData().toByteArray()).isEqualTo(entry.data().array());
      assertThat(RaftCodec.decodeEntry(proto.toByteArray())).isEqualTo(entry);
      assertThat(proto.getSerializedSize()).isEqualTo(RaftCodec.sizeOf(entry));

      Snapshot snapshot = randomSnapshot(random);
      var protoSnapshot = dev.kvorum.api.raftpb.Snapshot.parseFrom(RaftCodec.encode(snapshot));
      assertThat(protoSnapshot.toByteArray()).isEqualTo(RaftCodec.encode(snapshot));
      assertThat(protoSnapshot.getMetadata().getConfState().getVotersOutgoingList())
          .isEqualTo(snapshot.confState().votersOutgoing());
      assertThat(protoSnapshot.getMetadata().getIndex()).isEqualTo(snapshot.index());
      assertThat(RaftCodec.decodeSnapshot(protoSnapshot.toByteArray())).isEqualTo(snapshot);

      HardState state = new HardState(anyLong(random), anyLong(random), anyLong(random));
      assertThat(dev.kvorum.api.raftpb.HardState.parseFrom(RaftCodec.encode(state)).toByteArray())
          .isEqualTo(RaftCodec.encode(state));
      assertThat(RaftCodec.decodeHardState(RaftCodec.encode(state))).isEqualTo(state);
    }
  }

  @Test
  void protobufReadsOurConfChanges() throws Exception {
    SplittableRandom random = Seeds.random("protobufReadsOurConfChanges");
    for (int round = 0; round < 500; round++) {
      var type = ConfChange.Type.values()[random.nextInt(4)];
      ConfChange.V1 one = new ConfChange.V1(anyLong(random), type, anyLong(random), randomBytes(random));
      var proto = dev.kvorum.api.raftpb.ConfChange.parseFrom(ConfChangeCodec.encode(one).array());
      assertThat(proto.getType().getNumber()).isEqualTo(type.ordinal());
      assertThat(proto.getContext()).isEqualTo(ByteString.copyFrom(one.context().array()));
      assertThat(ConfChangeCodec.decodeV1(Bytes.wrap(proto.toByteArray()))).isEqualTo(one);

      ConfChange.V2 two = new ConfChange.V2(
          ConfChange.Transition.values()[random.nextInt(3)],
          List.of(new ConfChange.Single(type, anyLong(random)), new ConfChange.Single(type, 1)),
          randomBytes(random));
      var protoTwo = dev.kvorum.api.raftpb.ConfChangeV2.parseFrom(ConfChangeCodec.encode(two).array());
      assertThat(protoTwo.getChangesCount()).isEqualTo(2);
      assertThat(ConfChangeCodec.decodeV2(Bytes.wrap(protoTwo.toByteArray()))).isEqualTo(two);
    }
    assertThat(ConfChangeCodec.decodeV2(Bytes.EMPTY))
        .isEqualTo(new ConfChange.V2(ConfChange.Transition.AUTO, List.of(), Bytes.EMPTY));
  }

  @Test
  void unknownFieldsAreSkipped() throws Exception {
    assertThat(RaftCodec.decodeEntry(hex("1002 1807 7a03aabbcc 780a 7d01020304 790102030405060708")))
        .isEqualTo(Entry.normal(2, 7, Bytes.EMPTY));
  }

  @Test
  void unknownEntryTypesAreRefused() {
    assertThatExceptionOfType(WireFormatException.class).isThrownBy(() -> RaftCodec.decodeEntry(hex("0803 1002")));
  }

  @Test
  void damagedBytesAreRefusedCleanly() {
    SplittableRandom random = Seeds.random("damagedBytesAreRefusedCleanly");
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = RaftCodec.encode(randomSnapshot(random));
      for (int damage = random.nextInt(4); damage >= 0; damage--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      try {
        RaftCodec.decodeSnapshot(bytes);
      } catch (WireFormatException clean) {
        assertThat(clean).hasMessageNotContaining("null");
      }
      byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      try {
        RaftCodec.decodeEntry(noise);
      } catch (WireFormatException clean) {
        assertThat(clean.getMessage()).isNotEmpty();
      }
    }
  }

  static long anyLong(SplittableRandom random) {
    return random.nextLong() >>> random.nextInt(64);
  }

  static Bytes randomBytes(SplittableRandom random) {
    byte[] bytes = new byte[random.nextInt(300)];
    random.nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  static Entry randomEntry(SplittableRandom random) {
    return new Entry(
        EntryType.values()[random.nextInt(3)], anyLong(random), anyLong(random), randomBytes(random));
  }

  static Snapshot randomSnapshot(SplittableRandom random) {
    ConfState confState = new ConfState(
        List.of(anyLong(random), anyLong(random)), List.of(anyLong(random)), List.of(anyLong(random)),
        List.of(3L), random.nextBoolean());
    return new Snapshot(randomBytes(random), confState, anyLong(random), anyLong(random));
  }
}
