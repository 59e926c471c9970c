package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.LogStorage.Gap;
import dev.kvorum.raft.LogStorage.GapException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class MemoryLogTest {
  private static MemoryLog holding(long... terms) {
    MemoryLog log = new MemoryLog();
    log.append(Solo.entries(1, terms));
    return log;
  }

  private static void assertGap(Gap gap, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(GapException.class, e -> assertThat(e.gap()).isEqualTo(gap))
        .satisfies(e -> assertThat(e.getStackTrace()).isEmpty());
  }

  @Test
  void anEmptyLogKnowsTheTermBeforeItsFirstEntry() {
    MemoryLog log = new MemoryLog();
    assertThat(log.firstIndex()).isEqualTo(1);
    assertThat(log.lastIndex()).isZero();
    assertThat(log.term(0)).isZero();
    assertGap(Gap.UNAVAILABLE, () -> log.term(1));
  }

  /// Raft paper §7: a compacted log keeps the index and term of the last entry it forgot, for the next append is
  /// checked against them.
  @Test
  void compactionKeepsTheTermOfTheLastForgottenEntry() {
    MemoryLog log = holding(1, 1, 2, 3);
    log.compact(3);
    assertThat(log.firstIndex()).isEqualTo(4);
    assertThat(log.lastIndex()).isEqualTo(4);
    assertThat(log.term(3)).isEqualTo(2);
    assertGap(Gap.COMPACTED, () -> log.term(2));
    assertGap(Gap.COMPACTED, () -> log.compact(3));
    assertGap(Gap.UNAVAILABLE, () -> log.compact(5));
    assertGap(Gap.COMPACTED, () -> log.entries(3, 5, 1));
    assertGap(Gap.UNAVAILABLE, () -> log.entries(4, 6, 1));
    assertThat(log.entries(4, 5, 1)).hasSize(1);
  }

  @Test
  void appendReplacesWhatConflicts() {
    MemoryLog log = holding(1, 1, 2, 2);
    log.append(Solo.entries(3, 3));
    assertThat(log.lastIndex()).isEqualTo(3);
    assertThat(log.term(3)).isEqualTo(3);
  }

  @Test
  void appendSkipsWhatIsCompacted() {
    MemoryLog log = holding(1, 1, 2);
    log.compact(2);
    log.append(Solo.entries(1, 1, 1));
    assertThat(log.lastIndex()).as("all of it").isEqualTo(3);
    log.append(Solo.entries(1, 1, 1, 5, 5));
    assertThat(log.lastIndex()).isEqualTo(4);
    assertThat(log.term(3)).isEqualTo(5);
  }

  @Test
  void aGapIsOurBug() {
    assertThatThrownBy(() -> holding(1).append(Solo.entries(3, 1))).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void entriesAreLimitedBySizeButAtLeastOne() {
    MemoryLog log = holding(1, 1, 1);
    long one = EntrySize.encoded(log.entry(1));
    assertThat(log.entries(1, 4, 0)).hasSize(1);
    assertThat(log.entries(1, 4, 2 * one - 1)).hasSize(1);
    assertThat(log.entries(1, 4, 2 * one)).hasSize(2);
    assertThat(log.entries(1, 4, Long.MAX_VALUE)).hasSize(3);
    assertThat(log.entries(2, 2, Long.MAX_VALUE)).isEmpty();
  }

  @Test
  void aReceivedSnapshotReplacesEverything() {
    MemoryLog log = holding(1, 1);
    Snapshot snapshot = new Snapshot(Bytes.EMPTY, ConfState.EMPTY, 9, 3);
    assertThat(log.applySnapshot(snapshot)).isTrue();
    assertThat(log.firstIndex()).isEqualTo(10);
    assertThat(log.term(9)).isEqualTo(3);
    assertThat(log.applySnapshot(snapshot)).as("the same again").isFalse();
  }

  @Test
  void aMadeSnapshotIsOfAnEntryThatIsHere() {
    MemoryLog log = holding(1, 2);
    assertGap(Gap.UNAVAILABLE, () -> log.createSnapshot(3, ConfState.EMPTY, Bytes.EMPTY));
    assertThat(log.createSnapshot(2, ConfState.EMPTY, Bytes.EMPTY).term()).isEqualTo(2);
    assertGap(Gap.COMPACTED, () -> log.createSnapshot(2, ConfState.EMPTY, Bytes.EMPTY));
  }

  @Test
  void itBehavesLikeAPlainList() {
    long seed = Long.getLong("kvorum.seed", ThreadLocalRandom.current().nextLong(1L << 40));
    SplittableRandom random = new SplittableRandom(seed);
    MemoryLog log = new MemoryLog();
    List<Entry> model = new ArrayList<>();
    long compacted = 0;
    for (int step = 0; step < 3_000; step++) {
      if (random.nextInt(4) > 0) {
        long from = compacted + 1 + random.nextLong(model.size() - compacted + 1);
        long[] terms = random.longs(1 + random.nextInt(90), 1, 9).toArray();
        List<Entry> batch = Solo.entries(from, terms);
        log.append(batch);
        model.subList((int) from - 1, model.size()).clear();
        model.addAll(batch);
      } else if (model.size() > compacted) {
        compacted += 1 + random.nextLong(model.size() - compacted);
        log.compact(compacted);
      }
      assertThat(log.firstIndex()).as("seed %d step %d", seed, step).isEqualTo(compacted + 1);
      assertThat(log.entries(compacted + 1, log.lastIndex() + 1, Long.MAX_VALUE))
          .as("seed %d step %d", seed, step)
          .isEqualTo(model.subList((int) compacted, model.size()));
    }
  }
}
