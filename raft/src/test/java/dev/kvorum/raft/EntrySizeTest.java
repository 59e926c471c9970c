package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EntrySizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 1", "1, 1", "127, 1", "128, 2", "16383, 2", "16384, 3", "4294967295, 5", "4294967296, 5",
    "9223372036854775807, 9", "-1, 10"
  })
  void varintsTakeSevenBitsAByte(long value, int size) {
    assertThat(EntrySize.varint(value)).isEqualTo(size);
  }

  // The first record of a real etcd log: 99 bytes, 91 of them data.
  @Test
  void aConfChangeEntryIsMeasuredAsEtcdWritesIt() {
    Entry entry = new Entry(EntryType.CONF_CHANGE, 1, 1, Bytes.wrap(new byte[91]));
    assertThat(EntrySize.encoded(entry)).isEqualTo(99);
  }

  @Test
  void absentFieldsTakeNothing() {
    assertThat(EntrySize.encoded(Entry.normal(0, 0, Bytes.EMPTY))).isZero();
    assertThat(EntrySize.encoded(Entry.normal(2, 7, Bytes.EMPTY))).isEqualTo(4);
    assertThat(EntrySize.encoded(Entry.normal(300, 7, Bytes.wrap(new byte[200])))).isEqualTo(3 + 2 + 3 + 200);
  }

  @Test
  void payloadIsDataAlone() {
    List<Entry> entries = Solo.entries(1, 1, 1);
    assertThat(EntrySize.payload(entries)).isEqualTo("new1new2".length());
    assertThat(EntrySize.encoded(entries)).isEqualTo(2 * EntrySize.encoded(entries.get(0)));
  }
}
