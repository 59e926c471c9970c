package dev.kvorum.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// What one round on one server came to: named figures, and how puts fared beside each piece of work.
final class Figures {
  /// Of all figures less is better, unless the unit is per second.
  record Figure(String unit, double value) {}

  /// Puts during one piece of work.
  ///
  /// @param seconds the work took
  /// @param cpuSeconds the server took meanwhile, for the puts, too
  /// @param toIdle p99 of the puts, as a multiple of theirs with no work beside
  record During(double seconds, double cpuSeconds, Tally puts, double toIdle) {}

  private static final String NOTHING = "–";

  private final Map<String, Figure> figures = new LinkedHashMap<>();
  private final Map<String, During> during = new LinkedHashMap<>();

  void add(String name, String unit, double value) {
    figures.put(name, new Figure(unit, value));
    System.out.printf(Locale.ROOT, "    %-44s %,12.2f %s%n", name, value, unit);
  }

  void add(String name, During puts) {
    during.put(name, puts);
    Tally tally = puts.puts();
    System.out.printf(
        Locale.ROOT,
        "    %-34s %7.2f s  %6.2f CPU-s  puts %,8d  p50 %8.3f  p99 %9.3f  p99.9 %9.3f  longest %9.1f ms"
            + "  p99 to idle %.2f%s%n",
        name, puts.seconds(), puts.cpuSeconds(), tally.answered(), tally.millisAt(50), tally.millisAt(99),
        tally.millisAt(99.9), tally.millisAt(100), puts.toIdle(),
        tally.refused() + tally.unanswered() == 0
            ? ""
            : String.format("  refused %s, unanswered %d: %s", tally.refusedByStatus(), tally.unanswered(), tally.firstError()));
  }

  /// Both tables in markdown: medians of the rounds, and the median of the ratios taken round by round.
  static String tables(List<Figures> ours, List<Figures> other) {
    StringBuilder out = new StringBuilder();
    out.append("| figure | ours | other | ratio |\n|---|---|---|---|\n");
    for (String name : names(ours, other, f -> f.figures)) {
      String unit = unit(ours, other, name);
      out.append("| ").append(name).append(", ").append(unit);
      ToDoubleFunction<Figures> value = f -> f.figures.containsKey(name) ? f.figures.get(name).value() : Double.NaN;
      out.append(" | ").append(side(ours, value)).append(" | ").append(side(other, value));
      out.append(" | ").append(ratio(ours, other, value)).append(" |\n");
    }
    List<String> works = names(ours, other, f -> f.during);
    if (!works.isEmpty()) {
      out.append("\n| puts during | work s | CPU-s, puts too | p50 ms | p99 ms | p99.9 ms | longest ms | p99 to idle | refused |\n");
      out.append("|---|---|---|---|---|---|---|---|---|\n");
      for (String name : works) {
        out.append("| ").append(name);
        cell(out, ours, other, name, During::seconds);
        cell(out, ours, other, name, During::cpuSeconds);
        cell(out, ours, other, name, d -> d.puts().millisAt(50));
        cell(out, ours, other, name, d -> d.puts().millisAt(99));
        cell(out, ours, other, name, d -> d.puts().millisAt(99.9));
        cell(out, ours, other, name, d -> d.puts().millisAt(100));
        cell(out, ours, other, name, During::toIdle);
        cell(out, ours, other, name, d -> d.puts().refused() + d.puts().unanswered());
        out.append(" |\n");
      }
    }
    return out.toString();
  }

  private static List<String> names(List<Figures> ours, List<Figures> other, Function<Figures, Map<String, ?>> of) {
    LinkedHashMap<String, Boolean> names = new LinkedHashMap<>();
    ours.forEach(f -> of.apply(f).keySet().forEach(name -> names.put(name, true)));
    other.forEach(f -> of.apply(f).keySet().forEach(name -> names.put(name, true)));
    return new ArrayList<>(names.keySet());
  }

  private static String unit(List<Figures> ours, List<Figures> other, String name) {
    TreeSet<String> units = new TreeSet<>();
    for (List<Figures> side : List.of(ours, other)) {
      side.stream().filter(f -> f.figures.containsKey(name)).forEach(f -> units.add(f.figures.get(name).unit()));
    }
    return String.join("/", units);
  }

  private static void cell(
      StringBuilder out, List<Figures> ours, List<Figures> other, String name, ToDoubleFunction<During> figure) {
    ToDoubleFunction<Figures> value =
        f -> f.during.containsKey(name) ? figure.applyAsDouble(f.during.get(name)) : Double.NaN;
    out.append(" | ");
    if (other.isEmpty() || ours.isEmpty()) {
      out.append(side(ours.isEmpty() ? other : ours, value));
    } else {
      out.append(side(ours, value)).append(" / ").append(side(other, value));
      String ratio = ratio(ours, other, value);
      out.append(ratio.equals(NOTHING) ? "" : " = **" + ratio + "**");
    }
  }

  private static String side(List<Figures> side, ToDoubleFunction<Figures> value) {
    double[] values = side.stream().mapToDouble(value).filter(v -> !Double.isNaN(v)).toArray();
    if (values.length == 0) {
      return NOTHING;
    }
    double median = Report.median(values);
    return String.format(Locale.ROOT, median >= 100 ? "%,.0f" : median >= 10 ? "%.1f" : "%.2f", median);
  }

  private static String ratio(List<Figures> ours, List<Figures> other, ToDoubleFunction<Figures> value) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < Math.min(ours.size(), other.size()); i++) {
      double ratio = value.applyAsDouble(ours.get(i)) / value.applyAsDouble(other.get(i));
      if (Double.isFinite(ratio)) {
        ratios.add(ratio);
      }
    }
    return ratios.isEmpty()
        ? NOTHING
        : String.format(Locale.ROOT, "%.2f", Report.median(ratios.stream().mapToDouble(r -> r).toArray()));
  }
}
