package dev.kvorum.raft.tracker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.InvariantViolation;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class InflightsTest {
  @Test
  void itIsFullByCount() {
    Inflights inflights = new Inflights(2, 0);
    inflights.add(5, 100);
    assertThat(inflights.isFull()).isFalse();
    inflights.add(6, 100);
    assertThat(inflights.isFull()).isTrue();
    assertThatThrownBy(() -> inflights.add(7, 1)).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void itIsFullByBytesOnceTheLimitIsReached() {
    Inflights inflights = new Inflights(100, 10);
    inflights.add(1, 9);
    assertThat(inflights.isFull()).isFalse();
    inflights.add(2, 500);
    assertThat(inflights.isFull()).isTrue();
    inflights.freeTo(1);
    assertThat(inflights.isFull()).isTrue();
    inflights.freeTo(2);
    assertThat(inflights.isFull()).isFalse();
    assertThat(inflights.bytes()).isZero();
  }

  @Test
  void itBehavesLikeAPlainQueue() {
    long seed = Long.getLong("kvorum.seed", ThreadLocalRandom.current().nextLong(1L << 40));
    SplittableRandom random = new SplittableRandom(seed);
    Inflights inflights = new Inflights(100, 0);
    ArrayDeque<Long> model = new ArrayDeque<>();
    long last = 0;
    for (int i = 0; i < 50_000; i++) {
      if (!inflights.isFull() && random.nextInt(5) < 3) {
        last += 1 + random.nextInt(3);
        inflights.add(last, last);
        model.add(last);
      } else {
        long to = last - random.nextInt(200);
        inflights.freeTo(to);
        model.removeIf(index -> index <= to);
      }
      assertThat(inflights.count()).as("seed %d", seed).isEqualTo(model.size());
      assertThat(inflights.bytes()).as("seed %d", seed).isEqualTo(model.stream().mapToLong(x -> x).sum());
    }
  }
}
