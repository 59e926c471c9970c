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
    return new HttpQuery(request.method().name(), uri.path(), uri.parameters(), request.headers(), home);
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
