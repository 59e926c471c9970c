package dev.kvorum.server.metrics;

import dev.kvorum.member.metrics.Counter;
import dev.kvorum.member.metrics.Gauge;
import dev.kvorum.member.metrics.Histogram;
import dev.kvorum.member.metrics.Metric;
import dev.kvorum.member.metrics.MetricFamily;
import dev.kvorum.member.metrics.MetricsRegistry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Writes all metrics in Prometheus' text format 0.0.4, the only one etcd speaks: it answers requests for OpenMetrics
/// in this one too.
///
/// Families are in order of their names, labels in order of theirs, series in order of label values. Any thread.
public final class MetricsPage {
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

  private final MetricsRegistry registry;

  public MetricsPage(MetricsRegistry registry) {
    this.registry = registry;
  }

  /// The whole page, in UTF-8.
  public byte[] render() {
    StringBuilder page = new StringBuilder(128 * 1024);
    for (MetricFamily<? extends Metric> family : registry.families()) {
      append(page, family);
    }
    return page.toString().getBytes(StandardCharsets.UTF_8);
  }

  private record Series(String labels, Metric metric) {}

  private static void append(StringBuilder page, MetricFamily<? extends Metric> family) {
    if (family.isEmpty()) {
      return;
    }
    List<Series> all = new ArrayList<>();
    family.forEach((values, metric) -> all.add(new Series(labels(family.labelNames(), values), metric)));
    all.sort(Comparator.comparing(Series::labels));
    String name = family.name();
    page.append("# HELP ").append(name).append(' ');
    escape(page, family.help(), false);
    page.append("\n# TYPE ").append(name).append(' ').append(family.type().word()).append('\n');
    for (Series series : all) {
      switch (series.metric()) {
        case Counter counter -> sample(page, name, "", series.labels(), "", GoFloat.format(counter.value()));
        case Gauge gauge -> sample(page, name, "", series.labels(), "", GoFloat.format(gauge.value()));
        case Histogram histogram -> histogram(page, name, series.labels(), histogram);
      }
    }
  }

  private static void histogram(StringBuilder page, String name, String labels, Histogram histogram) {
    long[] counts = histogram.counts();
    long total = 0;
    for (int i = 0; i < counts.length; i++) {
      total += counts[i];
      String bound = "le=\"" + GoFloat.format(histogram.bound(i)) + "\"";
      sample(page, name, "_bucket", labels, bound, Long.toString(total));
    }
    sample(page, name, "_sum", labels, "", GoFloat.format(histogram.sum()));
    sample(page, name, "_count", labels, "", Long.toString(total));
  }

  private static void sample(
      StringBuilder page, String name, String suffix, String labels, String lastLabel, String value) {
    page.append(name).append(suffix);
    if (!labels.isEmpty() || !lastLabel.isEmpty()) {
      page.append('{').append(labels);
      if (!labels.isEmpty() && !lastLabel.isEmpty()) {
        page.append(',');
      }
      page.append(lastLabel).append('}');
    }
    page.append(' ').append(value).append('\n');
  }

  private static String labels(List<String> names, List<String> values) {
    Map<String, String> byName = new TreeMap<>();
    for (int i = 0; i < names.size(); i++) {
      byName.put(names.get(i), values.get(i));
    }
    StringBuilder text = new StringBuilder();
    byName.forEach(
        (name, value) -> {
          text.append(text.isEmpty() ? "" : ",").append(name).append("=\"");
          escape(text, value, true);
          text.append('"');
        });
    return text.toString();
  }

  private static void escape(StringBuilder to, String text, boolean quotes) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        to.append("\\\\");
      } else if (c == '\n') {
        to.append("\\n");
      } else if (c == '"' && quotes) {
        to.append("\\\"");
      } else {
        to.append(c);
      }
    }
  }
}
