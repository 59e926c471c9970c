package dev.kvorum.bolt;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// Reads the rows that [BoltBenchmark] and its sibling in Go printed, from standard input, and prints the tables of
/// docs/PERFORMANCE.md: medians over all runs, and ours over bbolt's.
public final class BoltBenchmarkTable {
  private record Sample(double wallNanos, double processorNanos) {}

  private final Map<String, Map<String, List<Sample>>> rows = new LinkedHashMap<>();

  private BoltBenchmarkTable() {}

  public static void main(String[] args) throws Exception {
    BoltBenchmarkTable table = new BoltBenchmarkTable();
    try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        table.add(line.split("\t"));
      }
    }
    table.print();
  }

  private void add(String[] fields) {
    double operations = Double.parseDouble(fields[2]);
    rows.computeIfAbsent(fields[1], row -> new LinkedHashMap<>())
        .computeIfAbsent(fields[0], engine -> new ArrayList<>())
        .add(new Sample(Double.parseDouble(fields[3]) / operations, Double.parseDouble(fields[4]) / operations));
  }

  private static boolean isSize(String row) {
    return row.startsWith("file ");
  }

  private static boolean isOpening(String row) {
    return row.startsWith("open");
  }

  private void print() {
    System.out.println("| row | per second | LMDB | CPU µs each | LMDB |");
    System.out.println("|---|---|---|---|---|");
    rows.forEach((row, engines) -> {
      if (!isSize(row) && !isOpening(row)) {
        System.out.printf("| %s | %s | %s |%n", row,
            cells(engines, sample -> 1e9 / sample.wallNanos, "%,.0f"),
            cells(engines, sample -> sample.processorNanos / 1e3, "%,.2f"));
      }
    });
    System.out.println();
    System.out.println("| row | ours / bbolt | LMDB |");
    System.out.println("|---|---|---|");
    rows.forEach((row, engines) -> {
      if (isSize(row)) {
        System.out.printf("| %s, MB | %s |%n", row, cells(engines, sample -> sample.wallNanos / 1e6, "%,.1f"));
      } else if (isOpening(row)) {
        System.out.printf("| %s, ms | %s |%n", row, cells(engines, sample -> sample.wallNanos / 1e6, "%,.3f"));
      }
    });
  }

  private static String cells(
      Map<String, List<Sample>> engines, ToDoubleFunction<Sample> figure, String format) {
    double ours = median(engines.get("ours"), figure);
    double theirs = median(engines.get("bbolt"), figure);
    return String.format(format + " / " + format + " = **%.2f** | " + format,
        ours, theirs, ours / theirs, median(engines.get("LMDB"), figure));
  }

  private static double median(List<Sample> samples, ToDoubleFunction<Sample> figure) {
    double[] sorted = samples == null ? new double[0] : samples.stream().mapToDouble(figure).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length == 0
        ? Double.NaN
        : sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
