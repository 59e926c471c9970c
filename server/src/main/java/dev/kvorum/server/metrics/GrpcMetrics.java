package dev.kvorum.server.metrics;

import dev.kvorum.member.metrics.Counter;
import dev.kvorum.member.metrics.EtcdMetrics;
import dev.kvorum.member.metrics.Histogram;
import dev.kvorum.member.metrics.MetricFamily;
import dev.kvorum.member.metrics.MetricsRegistry;
import dev.kvorum.server.grpc.RpcObserver;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Counts calls per method: `grpc_server_*`, and the etcd metrics that are counted where calls arrive.
///
/// Methods are announced at start, so that all of them show with zeros. Any thread.
public final class GrpcMetrics implements RpcObserver {
  /// Client versions told apart; more than these come from clients that make them up.
  private static final int VERSIONS_MAX = 64;

  private static final double[] SECONDS = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
  private static final String[] CODES = {
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
    "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
    "Internal", "Unavailable", "DataLoss", "Unauthenticated"
  };

  private final EtcdMetrics metrics;
  private final MetricFamily<Counter> started;
  private final MetricFamily<Counter> handled;
  private final MetricFamily<Counter> received;
  private final MetricFamily<Counter> sent;
  private final @Nullable MetricFamily<Histogram> duration;
  private final LongSupplier nanos;
  private final ConcurrentHashMap<String, Method> methods = new ConcurrentHashMap<>();

  /// @param extensive true for `--metrics=extensive`: latency histograms too
  /// @param nanos a monotonic clock
  public GrpcMetrics(EtcdMetrics metrics, boolean extensive, LongSupplier nanos) {
    this.metrics = metrics;
    this.nanos = nanos;
    MetricsRegistry registry = metrics.registry();
    String[] labels = {"grpc_type", "grpc_service", "grpc_method"};
    started = registry.counters("grpc_server_started_total", "Calls started.", labels);
    handled =
        registry.counters(
            "grpc_server_handled_total", "Calls ended, by code.", labels[0], labels[1], labels[2], "grpc_code");
    received = registry.counters("grpc_server_msg_received_total", "Messages received.", labels);
    sent = registry.counters("grpc_server_msg_sent_total", "Messages sent.", labels);
    duration =
        extensive ? registry.histograms("grpc_server_handling_seconds", "Time of a call.", SECONDS, labels) : null;
  }

  /// Puts the methods of a service on the page.
  public void announce(ServiceDescriptor service) {
    service.getMethods().forEach(this::of);
  }

  /// Methods that nobody serves are not counted: their names are whatever a client sends.
  @Override
  public CallObserver started(MethodDescriptor<?, ?> method, String clientApiVersion) {
    if (method.getType() == MethodType.UNKNOWN) {
      return RpcObserver.NONE.started(method, clientApiVersion);
    }
    return of(method).started(clientApiVersion);
  }

  private Method of(MethodDescriptor<?, ?> descriptor) {
    Method known = methods.get(descriptor.getFullMethodName());
    return known != null
        ? known
        : methods.computeIfAbsent(descriptor.getFullMethodName(), name -> new Method(descriptor));
  }

  private static String typeOf(MethodType type) {
    return switch (type) {
      case UNARY, UNKNOWN -> "unary";
      case CLIENT_STREAMING -> "client_stream";
      case SERVER_STREAMING -> "server_stream";
      case BIDI_STREAMING -> "bidi_stream";
    };
  }

  /// What is counted for one method.
  private final class Method {
    private final Counter startedCount;
    private final Counter receivedCount;
    private final Counter sentCount;
    private final Counter[] handledCounts = new Counter[CODES.length];
    private final @Nullable Histogram seconds;
    private final String clientType;
    private final ConcurrentHashMap<String, Counter> byVersion = new ConcurrentHashMap<>();

    private Method(MethodDescriptor<?, ?> descriptor) {
      String type = typeOf(descriptor.getType());
      String service = descriptor.getServiceName() == null ? "" : descriptor.getServiceName();
      String method = descriptor.getBareMethodName() == null ? "" : descriptor.getBareMethodName();
      startedCount = started.labels(type, service, method);
      receivedCount = received.labels(type, service, method);
      sentCount = sent.labels(type, service, method);
      for (int code = 0; code < CODES.length; code++) {
        handledCounts[code] = handled.labels(type, service, method, CODES[code]);
      }
      seconds = duration == null ? null : duration.labels(type, service, method);
      clientType = descriptor.getType() == MethodType.UNARY ? "unary" : "stream";
    }

    CallObserver started(String clientApiVersion) {
      startedCount.increment();
      Counter requests = byVersion.get(clientApiVersion);
      if (requests == null) {
        boolean told = !clientApiVersion.isEmpty() && byVersion.size() < VERSIONS_MAX;
        String version = told ? clientApiVersion : "unknown";
        requests = byVersion.computeIfAbsent(version, v -> metrics.clientRequests.labels(clientType, v));
      }
      requests.increment();
      return new Call(this, seconds == null ? 0 : nanos.getAsLong());
    }
  }

  /// What is counted for one call.
  private final class Call implements CallObserver {
    private final Method method;
    private final long startedNanos;

    private Call(Method method, long startedNanos) {
      this.method = method;
      this.startedNanos = startedNanos;
    }

    @Override
    public void received(int bytes) {
      method.receivedCount.increment();
      metrics.clientReceivedBytes.add(bytes);
    }

    @Override
    public void sent(int bytes) {
      method.sentCount.increment();
      metrics.clientSentBytes.add(bytes);
    }

    @Override
    public void ended(int code) {
      method.handledCounts[code >= 0 && code < CODES.length ? code : 2].increment();
      if (method.seconds != null) {
        method.seconds.observeNanos(nanos.getAsLong() - startedNanos);
      }
    }
  }
}
