package dev.kvorum.server.http;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// A whole answer to an HTTP request.
record HttpAnswer(int status, Map<String, String> headers, byte[] body) {
  private static final String PLAIN = "text/plain; charset=utf-8";

  static HttpAnswer of(int status, String contentType, String body) {
    return of(status, contentType, body.getBytes(StandardCharsets.UTF_8));
  }

  static HttpAnswer of(int status, String contentType, byte[] body) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Content-Type", contentType);
    return new HttpAnswer(status, headers, body);
  }

  static HttpAnswer plain(int status, String body) {
    return of(status, PLAIN, body);
  }

  /// As Go's `http.Error`: the text and a newline, and no guessing at its type.
  static HttpAnswer error(int status, String text) {
    return plain(status, text + "\n").with("X-Content-Type-Options", "nosniff");
  }

  static HttpAnswer methodNotAllowed(String allowed) {
    return error(405, "Method Not Allowed").with("Allow", allowed);
  }

  static HttpAnswer notFound() {
    return error(404, "404 page not found");
  }

  static HttpAnswer empty(int status) {
    return new HttpAnswer(status, new LinkedHashMap<>(), new byte[0]);
  }

  HttpAnswer with(String name, String value) {
    headers.put(name, value);
    return this;
  }
}
