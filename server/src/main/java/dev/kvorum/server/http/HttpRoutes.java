package dev.kvorum.server.http;

import dev.kvorum.member.Caller;
import dev.kvorum.member.Member;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/// What is served under which path.
public final class HttpRoutes {
  private final Member member;
  private final HealthChecks health;
  private final BiFunction<String, String, MetricsText> metrics;

  /// A rendered metrics page.
  public record MetricsText(String contentType, byte[] body) {}

  /// @param metrics renders the page for an Accept header (may be empty) and an Accept-Encoding header
  public HttpRoutes(Member member, BiFunction<String, String, MetricsText> metrics) {
    this.member = member;
    this.health = new HealthChecks(member);
    this.metrics = metrics;
  }

  void answer(HttpQuery query, Consumer<HttpAnswer> reply) {
    switch (query.path()) {
      case "/version" -> reply.accept(query.isGet() ? version() : HttpAnswer.methodNotAllowed("GET"));
      case "/metrics" -> reply.accept(metrics(query));
      case "/health" -> {
        if (query.isGet()) {
          health.health(query, caller(query), reply);
        } else {
          reply.accept(HttpAnswer.methodNotAllowed("GET"));
        }
      }
      default -> {
        if (query.path().startsWith("/livez") || query.path().startsWith("/readyz")) {
          health.kubernetes(query, caller(query), reply);
        } else {
          reply.accept(HttpAnswer.notFound());
        }
      }
    }
  }

  private static Caller caller(HttpQuery query) {
    return new Caller(null, null, "http", query.home());
  }

  private HttpAnswer version() {
    String json =
        "{\"etcdserver\":\"%s\",\"etcdcluster\":\"%s\",\"storage\":\"%s\"}"
            .formatted(
                member.config().serverVersion(),
                orElse(member.clusterVersion(), "not_decided"),
                orElse(member.storageVersion(), "unknown"));
    return HttpAnswer.of(200, "application/json", json);
  }

  private static String orElse(@org.jspecify.annotations.Nullable String text, String otherwise) {
    return text == null ? otherwise : text;
  }

  private HttpAnswer metrics(HttpQuery query) {
    MetricsText page = metrics.apply(query.headers().get("Accept", ""), query.headers().get("Accept-Encoding", ""));
    return HttpAnswer.of(200, page.contentType(), page.body());
  }
}
