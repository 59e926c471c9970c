package dev.kvorum.env;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class ThreadLoopTest {
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private final Loops loops = new ThreadLoops(2);

  @Test
  void tasksOfOneCallerRunInOrderAndAfterBatchFollowsThem() throws Exception {
    List<Integer> seen = new ArrayList<>();
    AtomicInteger batches = new AtomicInteger();
    Loop loop = loops.loop("t", 10, batches::incrementAndGet, failure -> {});
    for (int i = 0; i < 10_000; i++) {
      int n = i;
      loop.execute(() -> seen.add(n));
    }
    loop.stop();
    assertThat(loop.awaitStopped(DEADLINE_NANOS)).isTrue();
    assertThat(seen).hasSize(10_000).isSorted();
    assertThat(batches.get()).isPositive();
  }

  @Test
  void aTimerThatIsAlwaysDueAgainKeepsNoTaskOut() throws Exception {
    Loop loop = loops.loop("t", 10, () -> {}, failure -> {});
    CountDownLatch ticks = new CountDownLatch(1);
    CountDownLatch came = new CountDownLatch(1);
    AtomicBoolean over = new AtomicBoolean();
    try {
      loop.execute(() -> tick(loop, ticks, over));
      assertThat(ticks.await(DEADLINE_NANOS, TimeUnit.NANOSECONDS)).isTrue();
      loop.execute(came::countDown);
      assertThat(came.await(DEADLINE_NANOS, TimeUnit.NANOSECONDS)).isTrue();
    } finally {
      over.set(true);
      loop.stop();
    }
  }

  private static void tick(Loop loop, CountDownLatch ticks, AtomicBoolean over) {
    ticks.countDown();
    if (!over.get()) {
      loop.schedule(0, () -> tick(loop, ticks, over));
    }
  }

  @Test
  void aFullInboxRefusesOffersButNotCompletions() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Loop loop = loops.loop("t", 2, () -> {}, failure -> {});
    loop.execute(
        () -> {
          entered.countDown();
          await(release);
        });
    await(entered);
    assertThat(loop.offer(() -> {})).isTrue();
    assertThat(loop.offer(() -> {})).isTrue();
    assertThat(loop.offer(() -> {})).isFalse();
    CountDownLatch ran = new CountDownLatch(1);
    loop.execute(ran::countDown);
    release.countDown();
    await(ran);
    loop.stop();
    assertThat(loop.awaitStopped(DEADLINE_NANOS)).isTrue();
    assertThat(loop.offer(() -> {})).isFalse();
  }

  @Test
  void timersRunInTheOrderTheyAreDueAndCancelledOnesDoNot() throws Exception {
    List<String> seen = new ArrayList<>();
    CountDownLatch done = new CountDownLatch(1);
    Loop loop = loops.loop("t", 10, () -> {}, failure -> {});
    loop.execute(
        () -> {
          loop.schedule(TimeUnit.MILLISECONDS.toNanos(500), done::countDown);
          loop.schedule(TimeUnit.MILLISECONDS.toNanos(400), () -> seen.add("late"));
          loop.schedule(0, () -> seen.add("early"));
          loop.schedule(TimeUnit.MILLISECONDS.toNanos(200), () -> seen.add("never")).cancel();
        });
    await(done);
    loop.stop();
    assertThat(loop.awaitStopped(DEADLINE_NANOS)).isTrue();
    assertThat(seen).containsExactly("early", "late");
  }

  @Test
  void aThrowingTaskEndsTheLoopAndIsReportedOnce() throws Exception {
    AtomicReference<Throwable> heard = new AtomicReference<>();
    AtomicInteger ranAfter = new AtomicInteger();
    Loop loop = loops.loop("t", 10, () -> {}, heard::set);
    loop.execute(
        () -> {
          throw new InvariantViolation("boom");
        });
    assertThat(loop.awaitStopped(DEADLINE_NANOS)).isTrue();
    loop.execute(ranAfter::incrementAndGet);
    assertThat(heard.get()).isInstanceOf(InvariantViolation.class).hasMessage("boom");
    assertThat(ranAfter).hasValue(0);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
