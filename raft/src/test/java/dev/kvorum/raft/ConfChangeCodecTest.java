package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfChange.Single;
import dev.kvorum.raft.ConfChange.Transition;
import dev.kvorum.raft.ConfChange.Type;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfChangeCodecTest {
  private static Bytes hex(String text) {
    return Bytes.wrap(HexFormat.of().parseHex(text));
  }

  @Test
  void aV1ChangeIsFourFields() {
    ConfChange change = new ConfChange.V1(5, Type.ADD_LEARNER_NODE, 300, Bytes.utf8("{}"));
    assertThat(ConfChangeCodec.encode(change)).isEqualTo(hex("08051003" + "18ac02" + "22027b7d"));
    assertThat(ConfChangeCodec.entryType(change)).isEqualTo(EntryType.CONF_CHANGE);
  }

  @Test
  void typeAndNodeAreWrittenEvenIfZero() {
    ConfChange change = new ConfChange.V1(0, Type.ADD_NODE, 0, Bytes.EMPTY);
    assertThat(ConfChangeCodec.encode(change)).isEqualTo(hex("10001800"));
  }

  @Test
  void leavingAJointConfigurationMayBeNoBytesAtAll() {
    ConfChange leave = new ConfChange.V2(Transition.AUTO, List.of(), Bytes.EMPTY);
    assertThat(ConfChangeCodec.encode(leave)).isEqualTo(hex("0800"));
    assertThat(ConfChangeCodec.decodeV2(Bytes.EMPTY)).isEqualTo(leave);
  }

  @Test
  void aV2ChangeHoldsItsChangesInOrder() {
    ConfChange change =
        new ConfChange.V2(
            Transition.JOINT_EXPLICIT,
            List.of(new Single(Type.REMOVE_NODE, 1), new Single(Type.ADD_NODE, 4)),
            Bytes.utf8("c"));
    assertThat(ConfChangeCodec.encode(change)).isEqualTo(hex("0802" + "120408011001" + "120408001004" + "1a0163"));
  }

  // Older etcd writes zero fields too, and newer ones may add fields.
  @Test
  void zeroAndUnknownFieldsAreRead() {
    assertThat(ConfChangeCodec.decodeV1(hex("0800100018052200")))
        .isEqualTo(new ConfChange.V1(0, Type.ADD_NODE, 5, Bytes.EMPTY));
    assertThat(ConfChangeCodec.decodeV1(hex("1805" + "28ff01" + "3201aa" + "3d01020304" + "410102030405060708")))
        .isEqualTo(new ConfChange.V1(0, Type.ADD_NODE, 5, Bytes.EMPTY));
  }

  @ParameterizedTest
  @ValueSource(strings = {"08", "1005", "2205aa", "22ffffffff0f", "0a00", "07", "08ffffffffffffffffffff01"})
  void nonsenseIsRefused(String text) {
    assertThatThrownBy(() -> ConfChangeCodec.decodeV1(hex(text))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsWrittenIsRead() {
    long seed = Long.getLong("kvorum.seed", ThreadLocalRandom.current().nextLong(1L << 40));
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 2_000; i++) {
      byte[] context = new byte[random.nextInt(3) * random.nextInt(200)];
      random.nextBytes(context);
      List<Single> singles = new ArrayList<>();
      for (int n = random.nextInt(5); n > 0; n--) {
        singles.add(new Single(Type.values()[random.nextInt(4)], random.nextLong() >>> random.nextInt(64)));
      }
      ConfChange v2 =
          new ConfChange.V2(Transition.values()[random.nextInt(3)], singles, Bytes.wrap(context));
      ConfChange v1 =
          new ConfChange.V1(
              random.nextLong(), Type.values()[random.nextInt(4)], random.nextLong(), Bytes.wrap(context));
      for (ConfChange change : List.of(v1, v2)) {
        Entry entry = new Entry(ConfChangeCodec.entryType(change), 1, 1, ConfChangeCodec.encode(change));
        assertThat(ConfChangeCodec.decode(entry)).as("seed %d", seed).isEqualTo(change);
      }
    }
  }
}
