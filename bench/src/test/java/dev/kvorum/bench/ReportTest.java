package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Row ROW = new Row(Row.Kind.PUT, 1, 1, false, false);

  private static Sample sample(double perSecond) {
    return new Sample(perSecond, 1, 2, 3, 4, 0.1, 0, 5_000_000, 0, "");
  }

  @Test
  void ratiosAreTakenRunByRunAndTheirMedianIsShown() {
    Report report = new Report();
    report.add(
        new Report.Line(
            ROW, List.of(sample(100), sample(900), sample(400)), List.of(sample(100), sample(100), sample(200))));
    assertThat(report.table()).contains("| put 1x1 | 400 / 100 = **2.00** | 1.00 / 1.00 = **1.00** |");
  }

  @Test
  void aSideThatWasNotMeasuredIsLeftOut() {
    Report report = new Report();
    report.add(new Report.Line(ROW, List.of(), List.of(sample(1_234), sample(1_236))));
    report.add(new Report.Line(ROW, List.of(), List.of()));
    assertThat(report.table())
        .contains("| put 1x1 | 1,235 | 1.00 | 2.00 | 3.00 | 4.00 | 5 |")
        .contains("| put 1x1 | – | – | – | – | – | – |");
  }
}
