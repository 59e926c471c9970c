package dev.kvorum.server.http;

import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/// A request as the routes see it.
///
/// @param home the connection's loop
record HttpQuery(String method, String path, Map<String, List<String>> parameters, HttpHeaders headers, Executor home) {
  static HttpQuery of(FullHttpRequest request, Executor home) {
    QueryStringDecoder uri = new QueryStringDecoder(request.uri());
    return new HttpQuery(request.method().name(), pathOf(uri.path()), uri.parameters(), request.headers(), home);
  }

  /// A proxy may send the absolute form, scheme and host included (RFC 9112 §3.2.2).
  private static String pathOf(String target) {
    int scheme = target.indexOf("://");
    if (target.startsWith("/") || scheme < 0) {
      return target;
    }
    int slash = target.indexOf('/', scheme + 3);
    return slash < 0 ? "/" : target.substring(slash);
  }

  boolean isGet() {
    return method.equals("GET");
  }

  List<String> all(String parameter) {
    return parameters.getOrDefault(parameter, List.of());
  }

  boolean has(String parameter) {
    return parameters.containsKey(parameter);
  }

  boolean isTrue(String parameter) {
    return all(parameter).contains("true");
  }
}
