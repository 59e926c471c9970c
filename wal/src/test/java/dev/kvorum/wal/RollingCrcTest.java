package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class RollingCrcTest {
  @Test
  void isCastagnolis() {
    RollingCrc crc = new RollingCrc();
    crc.update("123456789".getBytes(StandardCharsets.US_ASCII), 0, 9);
    assertThat(crc.value()).isEqualTo(0xE3069283);
  }

  @Test
  void goesOnFromAnySeed() {
    SplittableRandom random = Seeds.random("goesOnFromAnySeed");
    for (int round = 0; round < 1000; round++) {
      byte[] bytes = new byte[random.nextInt(100)];
      random.nextBytes(bytes);
      int cut = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
      CRC32C whole = new CRC32C();
      whole.update(bytes);
      RollingCrc first = new RollingCrc();
      first.update(bytes, 0, cut);
      RollingCrc second = new RollingCrc();
      second.update(bytes, 0, bytes.length);
      second.seed(first.value());
      assertThat(second.value()).isEqualTo(first.value());
      second.update(bytes, cut, bytes.length - cut);
      assertThat(second.value()).isEqualTo((int) whole.getValue());
    }
  }
}
