package dev.kvorum.member.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.InvariantViolation;
import org.junit.jupiter.api.Test;

class EtcdMetricsTest {
  @Test
  void everyMetricIsListedInOrderOfName() {
    var names = new EtcdMetrics().registry().families().stream().map(MetricFamily::name).toList();
    assertThat(names).isSorted().doesNotHaveDuplicates().hasSizeGreaterThan(100);
    assertThat(names).contains("etcd_server_health_success", "etcd_server_proposals_applied_total");
  }

  @Test
  void aLabelledFamilyIsEmptyUntilASeriesIsAskedFor() {
    var metrics = new EtcdMetrics();
    assertThat(metrics.healthchecks.isEmpty()).isTrue();
    Counter ready = metrics.healthchecks.labels("readyz", "linearizable_read", "success");
    ready.increment();
    assertThat(metrics.healthchecks.labels("readyz", "linearizable_read", "success").value()).isEqualTo(1);
    metrics.healthchecks.remove("readyz", "linearizable_read", "success");
    assertThat(metrics.healthchecks.isEmpty()).isTrue();
  }

  @Test
  void theWrongNumberOfLabelsIsOurBug() {
    var metrics = new EtcdMetrics();
    assertThatThrownBy(() -> metrics.serverId.labels()).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void aNameIsDeclaredOnce() {
    var registry = new EtcdMetrics().registry();
    assertThatThrownBy(() -> registry.counter("etcd_mvcc_put_total", "again")).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void aHistogramCountsAValueAtItsBoundInThatBucket() {
    var histogram = new Histogram(Histogram.exponential(1, 2, 3));
    histogram.observe(1);
    histogram.observe(1.5);
    histogram.observe(4);
    histogram.observe(4.1);
    assertThat(histogram.counts()).containsExactly(1, 1, 1, 1);
    assertThat(histogram.sum()).isEqualTo(10.6);
    assertThat(histogram.bound(3)).isInfinite();
  }

  @Test
  void durationsAreCountedInTheUnitOfTheName() {
    var seconds = new Histogram(new double[] {1});
    seconds.observeNanos(1_500_000_000);
    assertThat(seconds.sum()).isEqualTo(1.5);
    var millis = new Histogram(new double[] {1});
    millis.observeNanosAsMillis(2_500_000);
    assertThat(millis.sum()).isEqualTo(2.5);
  }

  @Test
  void aLiveValueIsAskedForAtEachRead() {
    var metrics = new EtcdMetrics();
    long[] revision = {7};
    metrics.currentRevision.readFrom(() -> revision[0]);
    assertThat(metrics.currentRevision.value()).isEqualTo(7);
    revision[0] = 8;
    assertThat(metrics.currentRevision.value()).isEqualTo(8);
  }
}
