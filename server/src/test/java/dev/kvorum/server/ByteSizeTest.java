package dev.kvorum.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 B", "9, 9 B", "10, 10 B", "999, 999 B", "1000, 1.0 kB", "20480, 20 kB", "1572864, 1.6 MB",
    "10485760, 10 MB", "20000000, 20 MB", "2147483648, 2.1 GB", "8589934592, 8.6 GB", "9000000000, 9.0 GB",
  })
  void isWrittenInStepsOfAThousand(long bytes, String text) {
    assertThat(ByteSize.text(bytes)).isEqualTo(text);
  }
}
