package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FiguresTest {
  private static Figures figures(double load, long putNanos) {
    Figures figures = new Figures();
    figures.add("load", "s", load);
    Tally tally = new Tally();
    tally.due();
    tally.answered(putNanos);
    figures.add("compaction", new Figures.During(2, 1, tally, 1.5));
    return figures;
  }

  @Test
  void eachFigureIsALineWithTheRatioOfItsRounds() {
    String tables =
        Figures.tables(
            List.of(figures(10, 1_000_000), figures(30, 1_000_000), figures(20, 1_000_000)),
            List.of(figures(20, 2_000_000), figures(20, 2_000_000), figures(20, 2_000_000)));
    assertThat(tables)
        .contains("| load, s | 20.0 | 20.0 | 1.00 |")
        .contains("| compaction | 2.00 / 2.00 = **1.00** | 1.00 / 1.00 = **1.00** | 1.00 / 2.00 = **0.50**");
  }

  @Test
  void aSideThatIsMissingIsLeftOut() {
    assertThat(Figures.tables(List.of(figures(10, 1_000_000)), List.of()))
        .contains("| load, s | 10.0 | – | – |")
        .contains("| compaction | 2.00 | 1.00 | 1.00 | 1.00 |");
  }
}
