package dev.kvorum.env;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class PartsTest {
  @Test
  void withoutHelpersTheCallerDoesAllInOrder() throws IOException {
    StringBuilder order = new StringBuilder();
    Parts.run(task -> {}, 3, 5, part -> order.append(part));
    assertThat(order).hasToString("01234");
    Parts.run(
        task -> {
          throw new RejectedExecutionException();
        },
        3,
        3,
        part -> order.append(part));
    assertThat(order).hasToString("01234012");
    Parts.run(task -> {}, 3, 0, part -> order.append(part));
    assertThat(order).hasToString("01234012");
  }

  @Test
  void everyPartRunsOnceWhoeverHelps() throws IOException {
    AtomicIntegerArray ran = new AtomicIntegerArray(1000);
    Parts.run(new ThreadLoops(2).workers(), 2, 1000, ran::incrementAndGet);
    for (int i = 0; i < 1000; i++) {
      assertThat(ran.get(i)).isEqualTo(1);
    }
  }

  @Test
  void helpersWorkAtTheSameTime() throws IOException {
    CyclicBarrier together = new CyclicBarrier(2); // nobody gets past it alone
    Parts.run(
        new ThreadLoops(1).workers(),
        1,
        2,
        part -> {
          try {
            together.await();
          } catch (Exception e) {
            throw new IOException(e);
          }
        });
  }

  @Test
  void theFirstFailureByNumberIsThrownOnceAllHaveRun() {
    AtomicIntegerArray ran = new AtomicIntegerArray(4);
    assertThatThrownBy(
            () ->
                Parts.run(
                    new ThreadLoops(2).workers(),
                    2,
                    4,
                    part -> {
                      ran.incrementAndGet(part);
                      if (part > 0) {
                        throw new IOException("part " + part);
                      }
                    }))
        .isInstanceOf(IOException.class)
        .hasMessage("part 1");
    assertThat(ran.get(3)).isEqualTo(1);
  }
}
