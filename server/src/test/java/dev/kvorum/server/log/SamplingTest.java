package dev.kvorum.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SamplingTest {
  private final LoggerContext context = new LoggerContext();
  private final Sampling sampling = new Sampling();

  private int passed(int lines, String message, Level level, long second) {
    int passed = 0;
    for (int i = 0; i < lines; i++) {
      LoggingEvent event = new LoggingEvent("", context.getLogger("x"), level, message, null, null);
      event.setInstant(Instant.ofEpochSecond(second));
      if (sampling.decide(event) != FilterReply.DENY) {
        passed++;
      }
    }
    return passed;
  }

  @Test
  void theFirstHundredOfASecondPassThenEachHundredth() {
    assertThat(passed(100, "m", Level.INFO, 1000)).isEqualTo(100);
    assertThat(passed(99, "m", Level.INFO, 1000)).isZero();
    assertThat(passed(1, "m", Level.INFO, 1000)).isEqualTo(1);
    assertThat(passed(1000, "m", Level.INFO, 1000)).isEqualTo(10);
  }

  @Test
  void aNewSecondStartsAnew() {
    passed(500, "m", Level.INFO, 1000);
    assertThat(passed(100, "m", Level.INFO, 1001)).isEqualTo(100);
  }

  @Test
  void otherMessagesAndLevelsCountApart() {
    passed(500, "m", Level.INFO, 1000);
    assertThat(passed(50, "n", Level.INFO, 1000)).isEqualTo(50);
    assertThat(passed(50, "m", Level.WARN, 1000)).isEqualTo(50);
  }
}
