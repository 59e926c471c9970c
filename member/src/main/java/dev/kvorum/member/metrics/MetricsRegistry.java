package dev.kvorum.member.metrics;

import dev.kvorum.env.Invariant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;

/// Every metric of one process, by name.
public final class MetricsRegistry {
  private final ConcurrentSkipListMap<String, MetricFamily<? extends Metric>> families =
      new ConcurrentSkipListMap<>();

  public Counter counter(String name, String help) {
    return counters(name, help).labels();
  }

  public MetricFamily<Counter> counters(String name, String help, String... labelNames) {
    return add(new MetricFamily<>(name, help, Metric.Type.COUNTER, Counter::new, labelNames));
  }

  public Gauge gauge(String name, String help) {
    return gauges(name, help).labels();
  }

  public MetricFamily<Gauge> gauges(String name, String help, String... labelNames) {
    return add(new MetricFamily<>(name, help, Metric.Type.GAUGE, Gauge::new, labelNames));
  }

  public Histogram histogram(String name, String help, double[] bounds) {
    return histograms(name, help, bounds).labels();
  }

  public MetricFamily<Histogram> histograms(String name, String help, double[] bounds, String... labelNames) {
    return add(new MetricFamily<>(name, help, Metric.Type.HISTOGRAM, () -> new Histogram(bounds), labelNames));
  }

  /// All families, ordered by name.
  public List<MetricFamily<? extends Metric>> families() {
    return new ArrayList<>(families.values());
  }

  private <M extends Metric> MetricFamily<M> add(MetricFamily<M> family) {
    Invariant.check(
        families.putIfAbsent(family.name(), family) == null, () -> "metric declared twice: " + family.name());
    return family;
  }
}
