package dev.kvorum.member.metrics;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/// All time series of one name, told apart by label values. A family without labels has one series.
///
/// A labelled series appears on the page once somebody asked for it by [#labels], as in etcd. Hot paths ask once and
/// keep the answer: asking costs a hash look-up.
public final class MetricFamily<M extends Metric> {
  private final String name;
  private final String help;
  private final Metric.Type type;
  private final List<String> labelNames;
  private final Supplier<M> maker;
  private final ConcurrentHashMap<List<String>, M> series = new ConcurrentHashMap<>();

  MetricFamily(String name, String help, Metric.Type type, Supplier<M> maker, String... labelNames) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.maker = maker;
    this.labelNames = List.of(labelNames);
  }

  public String name() {
    return name;
  }

  public String help() {
    return help;
  }

  public Metric.Type type() {
    return type;
  }

  /// In the order in which [#labels] takes their values.
  public List<String> labelNames() {
    return labelNames;
  }

  /// The series with these label values, made on first use.
  public M labels(String... values) {
    Invariant.check(values.length == labelNames.size(), () -> name + " takes " + labelNames);
    List<String> key = Arrays.asList(values.clone());
    M known = series.get(key);
    return known != null ? known : series.computeIfAbsent(key, absent -> maker.get());
  }

  /// Takes the series with these label values off the page; absent is fine.
  public void remove(String... values) {
    series.remove(Arrays.asList(values));
  }

  public boolean isEmpty() {
    return series.isEmpty();
  }

  /// Visits the series there are, with their label values in [#labelNames] order; the order of series is arbitrary.
  public void forEach(BiConsumer<List<String>, M> visitor) {
    series.forEach(visitor);
  }
}
