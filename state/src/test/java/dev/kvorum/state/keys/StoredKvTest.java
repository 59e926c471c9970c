package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// Records byte for byte, as Go's protobuf writes them (backend-schema §3).
class StoredKvTest {
  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  private static byte[] utf8(String text) {
    return Bytes.utf8(text).array();
  }

  @Test
  void fieldsAreInOrderAndZeroesLeftOut() {
    assertThat(StoredKv.encode(utf8("foo2"), 3, 3, 1, utf8("bar2"), 0))
        .isEqualTo(hex("0a04666f6f32 1003 1803 2001 2a0462617232"));
    assertThat(StoredKv.encode(utf8("foo2"), 3, 86, 2, utf8("x1"), 0))
        .isEqualTo(hex("0a04666f6f32 1003 1856 2002 2a027831"));
    assertThat(StoredKv.encode(utf8("lk"), 85, 85, 1, utf8("lv"), 0x2394a2061908c759L))
        .isEqualTo(hex("0a026c6b 1055 1855 2001 2a026c76 30d98ea3c8e1c0a8ca23"));
    assertThat(StoredKv.encodeTombstone(utf8("k1"))).isEqualTo(hex("0a026b31"));
    assertThat(StoredKv.encodeDeleted(utf8("k1"), 86)).isEqualTo(hex("0a026b31 1856"));
    assertThat(StoredKv.encode(utf8("k"), 2, 2, 1, new byte[0], 0)).isEqualTo(hex("0a016b 1002 1802 2001"));
  }

  @Test
  void aNegativeLeaseTakesTenBytes() {
    byte[] record = StoredKv.encode(utf8("k"), 2, 2, 1, new byte[0], -1);
    assertThat(record).isEqualTo(hex("0a016b 1002 1802 2001 30ffffffffffffffffff01"));
    assertThat(StoredKv.decode(record).lease()).isEqualTo(-1);
  }

  @Test
  void decodingGivesBackWhatWasEncoded() {
    byte[] value = new byte[70_000];
    value[69_999] = 5;
    StoredKv kv = StoredKv.decode(StoredKv.encode(utf8("key"), 127, 128, 1L << 40, value, Long.MAX_VALUE));
    assertThat(kv.key().toUtf8()).isEqualTo("key");
    assertThat(kv.createRevision()).isEqualTo(127);
    assertThat(kv.modRevision()).isEqualTo(128);
    assertThat(kv.version()).isEqualTo(1L << 40);
    assertThat(kv.lease()).isEqualTo(Long.MAX_VALUE);
    assertThat(kv.value().array()).isEqualTo(value);
    assertThat(kv.record()[kv.valueAt() + 69_999]).isEqualTo((byte) 5);
    assertThat(StoredKv.decode(kv.withoutValue()).valueLength()).isZero();
  }

  @Test
  void anEmptyRecordIsAnEmptyKey() {
    assertThat(StoredKv.decode(new byte[0]).key()).isEqualTo(Bytes.EMPTY);
    assertThat(StoredKv.keyOf(new byte[0])).isEmpty();
  }

  @Test
  void unknownFieldsAreSkipped() {
    StoredKv kv = StoredKv.decode(hex("0a016b 7803 7a01ff 7d01020304 79 0102030405060708 1802"));
    assertThat(kv.key().toUtf8()).isEqualTo("k");
    assertThat(kv.modRevision()).isEqualTo(2);
  }

  @Test
  void tornRecordsAreRefused() {
    byte[] whole = StoredKv.encode(utf8("key"), 300, 300, 1, utf8("value"), 9);
    assertThat(StoredKv.keyOf(whole)).isEqualTo(utf8("key"));
    for (String torn : new String[] {"0a", "0a05 6b", "10", "10ff", "2a7f00", "0b"}) {
      assertThatThrownBy(() -> StoredKv.decode(hex(torn))).isInstanceOf(InvariantViolation.class);
    }
  }
}
