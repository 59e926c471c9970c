package dev.kvorum.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.member.metrics.EtcdMetrics;
import dev.kvorum.member.metrics.MetricsRegistry;
import dev.kvorum.server.grpc.RpcObserver.CallObserver;
import io.grpc.MethodDescriptor;
import io.grpc.health.v1.HealthGrpc;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsPageTest {
  private static String page(MetricsRegistry registry) {
    return new String(new MetricsPage(registry).render(), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0", "1, 1", "-1, -1", "0.001, 0.001", "0.0001, 0.0001", "0.00001, 1e-05", "4.7901E-5, 4.7901e-05",
    "524288, 524288", "999999, 999999", "1000000, 1e+06", "1048576, 1.048576e+06", "2147483648, 2.147483648e+09",
    "1.8446744073709552E19, 1.8446744073709552e+19", "163.84, 163.84", "0.1, 0.1", "1e100, 1e+100", "-2.5, -2.5",
    "1.79543980512E9, 1.79543980512e+09", "100000.5, 100000.5", "1234567.5, 1.2345675e+06",
  })
  void numbersAreWrittenAsGoWritesThem(double value, String text) {
    assertThat(GoFloat.format(value)).isEqualTo(text);
  }

  @Test
  void numbersThatAreNoneHaveNames() {
    assertThat(GoFloat.format(Double.NaN)).isEqualTo("NaN");
    assertThat(GoFloat.format(Double.POSITIVE_INFINITY)).isEqualTo("+Inf");
    assertThat(GoFloat.format(Double.NEGATIVE_INFINITY)).isEqualTo("-Inf");
  }

  @Test
  void aPageHasFamiliesByNameAndSeriesByLabels() {
    MetricsRegistry registry = new MetricsRegistry();
    registry.gauge("b_total", "A gauge by an odd name.").set(3);
    var counters = registry.counters("a_success", "Lines\nand \\ signs.", "To", "From");
    counters.labels("2", "x\"y").increment();
    counters.labels("1", "x").add(7);
    registry.counters("c", "Nothing yet.", "l");
    registry.histogram("d", "Some.", new double[] {0.5, 1}).observe(0.75);
    assertThat(page(registry))
        .isEqualTo(
            """
            # HELP a_success Lines\\nand \\\\ signs.
            # TYPE a_success counter
            a_success{From="x",To="1"} 7
            a_success{From="x\\"y",To="2"} 1
            # HELP b_total A gauge by an odd name.
            # TYPE b_total gauge
            b_total 3
            # HELP d Some.
            # TYPE d histogram
            d_bucket{le="0.5"} 0
            d_bucket{le="1"} 1
            d_bucket{le="+Inf"} 1
            d_sum 0.75
            d_count 1
            """);
  }

  @Test
  void everyNameOfEtcdThatASingleMemberShowsIsThere() {
    EtcdMetrics metrics = new EtcdMetrics();
    ProcessMetrics.addTo(metrics.registry());
    assertThat(page(metrics.registry()))
        .contains(
            "# TYPE etcd_server_health_success counter\netcd_server_health_success 0\n",
            "# TYPE etcd_server_proposals_applied_total gauge\n",
            "etcd_debugging_lease_ttl_total_bucket{le=\"8.388608e+06\"} 0\n",
            "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"8.192\"} 0\n",
            "# TYPE process_cpu_seconds_total counter\n",
            "\nprocess_resident_memory_bytes ",
            "\nos_fd_used ");
  }

  @Test
  void announcedMethodsShowWithZerosForEachCode() {
    EtcdMetrics metrics = new EtcdMetrics();
    new GrpcMetrics(metrics, false, () -> 0).announce(HealthGrpc.getServiceDescriptor());
    assertThat(page(metrics.registry()))
        .contains(
            "grpc_server_started_total{grpc_method=\"Check\",grpc_service=\"grpc.health.v1.Health\","
                + "grpc_type=\"unary\"} 0\n",
            "grpc_server_handled_total{grpc_code=\"Unauthenticated\",grpc_method=\"Watch\","
                + "grpc_service=\"grpc.health.v1.Health\",grpc_type=\"server_stream\"} 0\n")
        .doesNotContain("grpc_server_handling_seconds");
  }

  @Test
  void aCallIsCountedFromItsStartToItsEnd() {
    EtcdMetrics metrics = new EtcdMetrics();
    AtomicLong now = new AtomicLong();
    GrpcMetrics grpc = new GrpcMetrics(metrics, true, now::get);
    CallObserver call = grpc.started(HealthGrpc.getCheckMethod(), "3.7.1");
    call.received(10);
    call.sent(20);
    now.set(20_000_000);
    call.ended(5);
    String labels = "grpc_method=\"Check\",grpc_service=\"grpc.health.v1.Health\",grpc_type=\"unary\"";
    assertThat(page(metrics.registry()))
        .contains(
            "grpc_server_handled_total{grpc_code=\"NotFound\"," + labels + "} 1\n",
            "grpc_server_msg_received_total{" + labels + "} 1\n",
            "grpc_server_handling_seconds_bucket{" + labels + ",le=\"0.025\"} 1\n",
            "etcd_network_client_grpc_sent_bytes_total 20\n",
            "etcd_server_client_requests_total{client_api_version=\"3.7.1\",type=\"unary\"} 1\n");
  }

  @Test
  void namesThatClientsMakeUpDoNotGrowThePage() {
    EtcdMetrics metrics = new EtcdMetrics();
    GrpcMetrics grpc = new GrpcMetrics(metrics, false, () -> 0);
    for (int i = 0; i < 1000; i++) {
      grpc.started(HealthGrpc.getCheckMethod(), "made-up-" + i).ended(0);
    }
    MethodDescriptor<?, ?> unknown =
        HealthGrpc.getCheckMethod().toBuilder()
            .setType(MethodDescriptor.MethodType.UNKNOWN).setFullMethodName("no/such").build();
    grpc.started(unknown, "").ended(12);
    String page = page(metrics.registry());
    assertThat(page.lines().filter(line -> line.startsWith("etcd_server_client_requests_total{")).count())
        .isLessThanOrEqualTo(65);
    assertThat(page).doesNotContain("no/such", "grpc_service=\"no\"");
  }
}
