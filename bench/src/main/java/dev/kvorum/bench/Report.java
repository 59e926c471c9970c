package dev.kvorum.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// The table at the end: medians per row and side, and the medians of the ratios of runs that stood side by side.
final class Report {
  /// A row's runs; run i of both sides belong together. A side that failed or was not measured has none.
  record Line(Row row, List<Sample> ours, List<Sample> other) {}

  private static final String NOTHING = "–";

  private final List<Line> lines = new ArrayList<>();

  void add(Line line) {
    lines.add(line);
  }

  /// Markdown. A cell is `ours / other = ratio`, or the one side there is.
  String table() {
    StringBuilder out = new StringBuilder();
    out.append("| row | per second | p50 ms | p99 ms | p99.9 ms | CPU-s/100k | resident MB |\n");
    out.append("|---|---|---|---|---|---|---|\n");
    for (Line line : lines) {
      out.append("| ").append(line.row().name());
      cell(out, line, "%,.0f", Sample::perSecond);
      cell(out, line, "%.2f", Sample::p50Millis);
      cell(out, line, "%.2f", Sample::p99Millis);
      cell(out, line, "%.2f", Sample::p999Millis);
      cell(out, line, "%.2f", Sample::cpuPer100k);
      cell(out, line, "%.0f", Sample::residentMegabytes);
      out.append(" |\n");
    }
    return out.toString();
  }

  private static void cell(StringBuilder out, Line line, String format, ToDoubleFunction<Sample> figure) {
    out.append(" | ");
    if (line.ours().isEmpty() && line.other().isEmpty()) {
      out.append(NOTHING);
    } else if (line.ours().isEmpty() || line.other().isEmpty()) {
      out.append(side(line.ours().isEmpty() ? line.other() : line.ours(), format, figure));
    } else {
      out.append(side(line.ours(), format, figure)).append(" / ").append(side(line.other(), format, figure));
      out.append(String.format(Locale.ROOT, " = **%.2f**", medianRatio(line, figure)));
    }
  }

  private static String side(List<Sample> samples, String format, ToDoubleFunction<Sample> figure) {
    return String.format(Locale.ROOT, format, median(samples.stream().mapToDouble(figure).toArray()));
  }

  private static double medianRatio(Line line, ToDoubleFunction<Sample> figure) {
    double[] ratios = new double[Math.min(line.ours().size(), line.other().size())];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = figure.applyAsDouble(line.ours().get(i)) / figure.applyAsDouble(line.other().get(i));
    }
    return median(ratios);
  }

  static double median(double[] figures) {
    double[] sorted = figures.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
