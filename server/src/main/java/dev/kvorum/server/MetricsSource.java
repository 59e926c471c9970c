package dev.kvorum.server;

import dev.kvorum.member.Member;
import dev.kvorum.member.metrics.Counter;
import dev.kvorum.member.metrics.EtcdMetrics;
import dev.kvorum.member.metrics.Gauge;
import dev.kvorum.member.metrics.MetricFamily;
import dev.kvorum.server.http.HttpRoutes.MetricsText;
import dev.kvorum.server.metrics.MetricsPage;
import dev.kvorum.state.alarm.AlarmMember;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Answers scrapes: brings up to date what shows as labels instead of values, then renders the page. Any thread; scrapes
/// are rare, so they take turns.
final class MetricsSource {
  private final EtcdMetrics metrics;
  private final Member member;
  private final MetricsPage page;
  private final Gauge inFlight;
  private final Counter answered;
  private final Set<List<String>> alarmsShown = new HashSet<>();

  MetricsSource(EtcdMetrics metrics, Member member) {
    this.metrics = metrics;
    this.member = member;
    this.page = new MetricsPage(metrics.registry());
    this.inFlight =
        metrics.registry().gauge("promhttp_metric_handler_requests_in_flight", "Scrapes being answered.");
    MetricFamily<Counter> byCode =
        metrics.registry().counters("promhttp_metric_handler_requests_total", "Scrapes, by HTTP status.", "code");
    byCode.labels("500");
    byCode.labels("503");
    this.answered = byCode.labels("200");
  }

  synchronized MetricsText answer() {
    inFlight.increment();
    try {
      showAlarms();
      return new MetricsText(MetricsPage.CONTENT_TYPE, page.render());
    } finally {
      inFlight.decrement();
      answered.increment();
    }
  }

  private void showAlarms() {
    Set<List<String>> raised = new HashSet<>();
    for (AlarmMember alarm : member.alarms()) {
      raised.add(List.of(Long.toHexString(alarm.memberId()), alarm.type().toString()));
    }
    alarmsShown.addAll(raised);
    for (List<String> labels : alarmsShown) {
      metrics.alarms.labels(labels.toArray(String[]::new)).set(raised.contains(labels));
    }
  }
}
