package dev.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GoDurationTest {
  @ParameterizedTest(name = "{0} is {1} ns, written {2}")
  @CsvSource({
    "0, 0, 0s",
    "+0, 0, 0s",
    "1ns, 1, 1ns",
    "1us, 1000, 1µs",
    "1µs, 1000, 1µs",
    "83.4us, 83400, 83.4µs",
    "100ms, 100000000, 100ms",
    "1.5ms, 1500000, 1.5ms",
    "999.999999ms, 999999999, 999.999999ms",
    "1s, 1000000000, 1s",
    "1.5s, 1500000000, 1.5s",
    ".5s, 500000000, 500ms",
    "1.s, 1000000000, 1s",
    "60s, 60000000000, 1m0s",
    "1m, 60000000000, 1m0s",
    "90m, 5400000000000, 1h30m0s",
    "2h, 7200000000000, 2h0m0s",
    "1h2m3.5s, 3723500000000, 1h2m3.5s",
    "-1.5h, -5400000000000, -1h30m0s",
    "-1ns, -1, -1ns",
    "1h1h1s2ms3us4ns5µs, 7201002008004, 2h0m1.002008004s",
    "2562047h47m16.854775807s, 9223372036854775807, 2562047h47m16.854775807s",
  })
  void isReadAndWrittenAsGoDoes(String text, long nanos, String written) throws ValueException {
    assertThat(GoDuration.parse(text)).isEqualTo(nanos);
    assertThat(GoDuration.format(nanos)).isEqualTo(written);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "x, time: invalid duration \"x\"",
    "-, time: invalid duration \"-\"",
    ".s, time: invalid duration \".s\"",
    "1.2.3s, time: invalid duration \"1.2.3s\"",
    "-1, time: missing unit in duration \"-1\"",
    "5, time: missing unit in duration \"5\"",
    "1h5, time: missing unit in duration \"1h5\"",
    "5x, time: unknown unit \"x\" in duration \"5x\"",
    "1d, time: unknown unit \"d\" in duration \"1d\"",
    "9999999999999h, time: invalid duration \"9999999999999h\"",
  })
  void saysWhatIsWrongInGosWords(String text, String message) {
    assertThatThrownBy(() -> GoDuration.parse(text)).isInstanceOf(ValueException.class).hasMessage(message);
  }

  @Test
  void theEmptyTextIsNoDuration() {
    assertThatThrownBy(() -> GoDuration.parse("")).hasMessage("time: invalid duration \"\"");
  }

  @Test
  void whatIsWrittenIsReadBack() throws ValueException {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    System.out.println("seed " + seed);
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int i = 0; i < 10_000; i++) {
      long nanos = random.nextLong() >> random.nextInt(64);
      assertThat(GoDuration.parse(GoDuration.format(nanos))).as("seed %d", seed).isEqualTo(nanos);
    }
  }
}
