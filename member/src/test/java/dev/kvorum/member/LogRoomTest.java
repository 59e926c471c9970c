package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LogRoomTest {
  @Test
  void smallEntriesAreKeptByTheirNumber() {
    LogRoom room = new LogRoom(50, 100, 1 << 20, 0);
    for (long index = 1; index < 100; index++) {
      room.applied(index, 10);
      assertThat(room.isDue(index)).isFalse();
    }
    room.applied(100, 10);
    assertThat(room.isDue(100)).isTrue();
    assertThat(room.prune(100)).isEqualTo(50);
    assertThat(room.isDue(101)).isFalse();
  }

  @Test
  void largeEntriesAreKeptByTheirBytes() {
    LogRoom room = new LogRoom(5_000, 100, 16_000, 0);
    long kept = 0;
    for (long index = 1; index <= 200; index++) {
      room.applied(index, 1_000);
      assertThat(room.isDue(index)).isTrue();
      kept = index - room.prune(index);
      assertThat(kept).isLessThanOrEqualTo(17);
    }
    assertThat(kept).isEqualTo(16);
  }

  @Test
  void nothingIsPrunedBeforeThereIsTooMuch() {
    LogRoom room = new LogRoom(5_000, 100, 16_000, 0);
    room.applied(1, 15_999);
    assertThat(room.prune(1)).isZero();
    room.reset(7);
    assertThat(room.isDue(8)).isFalse();
  }
}
