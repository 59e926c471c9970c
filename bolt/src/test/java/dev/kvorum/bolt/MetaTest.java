package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.sim.SimDisk;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// Bytes that bbolt wrote.
class MetaTest {
  private static final HexFormat HEX = HexFormat.of();

  /// Both meta pages of an etcd database.
  private static final String PAGE_0 =
      "00000000000000000400000000000000edda0ced020000000010000000000000"
          + "08000000000000000000000000000000ffffffffffffffff0a00000000000000"
          + "2600000000000000d7193676fabefbaa";

  @Test
  void metaOfARealDatabaseIsReadAndWrittenAlike() {
    byte[] page = HEX.parseHex(PAGE_0);
    Meta.Reading reading = Meta.read(ByteBuffer.wrap(page));
    assertThat(reading.meta()).isEqualTo(new Meta(4096, 8, 0, Meta.NO_FREELIST, 10, 38));
    ByteBuffer written = ByteBuffer.allocate(4096);
    reading.meta().write(written, 0, 0);
    assertThat(HEX.formatHex(written.array(), 0, page.length)).isEqualTo(PAGE_0);
  }

  @Test
  void metasOfAFreshDatabaseHaveTheKnownChecksums() throws Exception {
    SimDisk disk = new SimDisk();
    Path file = Path.of("/db");
    Bolt.open(disk, file, BoltOptions.defaults().withInitialMapBytes(0)).close();
    byte[] bytes = disk.contents(file);
    assertThat(bytes).hasSize(4 * 4096);
    ByteBuffer b = ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    assertThat(b.getLong(16 + 56)).isEqualTo(0x07516e114689fdeeL);
    assertThat(b.getLong(4096 + 16 + 56)).isEqualTo(0x264c351a5179480fL);
    assertThat(HEX.formatHex(bytes, 8192, 8192 + 16)).isEqualTo("02000000000000001000000000000000");
    assertThat(HEX.formatHex(bytes, 12288, 12288 + 16)).isEqualTo("03000000000000000200000000000000");
  }

  @Test
  void flawsAreToldInBboltsOrderAndWords() {
    byte[] page = HEX.parseHex(PAGE_0);
    page[60]++;
    assertThat(Meta.read(ByteBuffer.wrap(page)).flaw()).isEqualTo("checksum error");
    page[20] = 3;
    assertThat(Meta.read(ByteBuffer.wrap(page)).flaw()).isEqualTo("version mismatch");
    page[16] = 0;
    assertThat(Meta.read(ByteBuffer.wrap(page)).flaw()).isEqualTo("invalid database");
  }
}
