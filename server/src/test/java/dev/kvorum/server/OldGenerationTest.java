package dev.kvorum.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OldGenerationTest {
  private static final long MB = 1 << 20;

  @Test
  void aSmallHeapIsCollectedForLittle() {
    assertThat(OldGeneration.isDue(40 * MB, 25 * MB, 256 * MB)).isFalse();
    assertThat(OldGeneration.isDue(42 * MB, 25 * MB, 256 * MB)).isTrue();
  }

  @Test
  void aLargeHeapIsCollectedWhenAQuarterOfAGigabyteIsToBeWon() {
    assertThat(OldGeneration.isDue(290 * MB, 40 * MB, 12_000 * MB)).isFalse();
    assertThat(OldGeneration.isDue(300 * MB, 40 * MB, 12_000 * MB)).isTrue();
  }

  /// A collection takes time with what lives: the more does, the rarer it is.
  @Test
  void muchThatLivesIsCollectedOnceHalfAsMuchIsGarbage() {
    assertThat(OldGeneration.isDue(1_400 * MB, 1_000 * MB, 12_000 * MB)).isFalse();
    assertThat(OldGeneration.isDue(1_501 * MB, 1_000 * MB, 12_000 * MB)).isTrue();
  }
}
