package dev.kvorum.member.metrics;

/// One time series: what a [MetricFamily] holds per combination of label values.
public sealed interface Metric permits Counter, Gauge, Histogram {
  /// The word on the page's `# TYPE` line.
  enum Type {
    COUNTER("counter"),
    GAUGE("gauge"),
    HISTOGRAM("histogram");

    private final String word;

    Type(String word) {
      this.word = word;
    }

    public String word() {
      return word;
    }
  }
}
