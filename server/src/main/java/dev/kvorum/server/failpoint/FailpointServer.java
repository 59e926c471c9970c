package dev.kvorum.server.failpoint;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The failpoints of this process, planted through gofail's HTTP surface or its environment variables.
///
/// ```text
/// GOFAIL_HTTP=127.0.0.1:22381              GET /            every failpoint as name=terms
/// GOFAIL_FAILPOINTS='beforeCommit=panic'   PUT /name        terms as the body
///                                          DELETE /name
/// ```
public final class FailpointServer implements Failpoints {
  private static final int NO_CONTENT = 204;
  private static final int BAD_REQUEST = 400;
  private static final int NOT_FOUND = 404;
  private static final int METHOD_NOT_ALLOWED = 405;

  private final Map<String, Failpoint> byName = new TreeMap<>();
  private final Map<Failpoint, Terms> planted = new ConcurrentHashMap<>();
  private final Runnable panic;
  private final Consumer<String> print;
  private @Nullable HttpServer http;

  /// @param panic ends the process at once
  /// @param print says where execution has come by
  FailpointServer(Runnable panic, Consumer<String> print) {
    this.panic = panic;
    this.print = print;
    for (Failpoint point : Failpoint.values()) {
      byName.put(point.etcdName(), point);
    }
  }

  /// What the environment asks for; [Failpoints#NONE] when the JVM was not started for it.
  ///
  /// @throws IOException when the address cannot be listened on, or the terms make no sense
  public static Failpoints ofEnvironment() throws IOException {
    if (!Boolean.getBoolean("kvorum.failpoints")) {
      return NONE;
    }
    FailpointServer server =
        new FailpointServer(() -> Runtime.getRuntime().halt(2), name -> System.err.println("failpoint: " + name));
    String first = System.getenv("GOFAIL_FAILPOINTS");
    if (first != null && !first.isBlank()) {
      server.plantAll(first);
    }
    String address = System.getenv("GOFAIL_HTTP");
    if (address != null && !address.isBlank()) {
      int colon = address.lastIndexOf(':');
      server.listen(
          new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))));
    }
    return server;
  }

  private void plantAll(String all) throws IOException {
    for (String one : all.split(";")) {
      int equals = one.indexOf('=');
      Failpoint point = equals < 0 ? null : byName.get(one.substring(0, equals).strip());
      if (point == null) {
        throw new IOException("failpoint: no such failpoint: " + one);
      }
      try {
        planted.put(point, Terms.parse(one.substring(equals + 1)));
      } catch (IllegalArgumentException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
  }

  @Override
  public @Nullable String reach(Failpoint point) {
    Terms terms = planted.get(point);
    if (terms == null) {
      return null;
    }
    switch (terms.next(RandomGenerator.getDefault())) {
      case Terms.Action.Nothing _ -> {}
      case Terms.Action.Panic _ -> panic.run();
      case Terms.Action.Sleep sleep -> rest(sleep.nanos());
      case Terms.Action.Print _ -> print.accept(point.etcdName());
      case Terms.Action.Fail fail -> {
        return fail.text();
      }
    }
    return null;
  }

  private static void rest(long nanos) {
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /// @return the address listened on
  InetSocketAddress listen(InetSocketAddress address) throws IOException {
    HttpServer server = HttpServer.create(address, 0);
    server.createContext("/", this::serve);
    server.setExecutor(
        task -> {
          Thread thread = new Thread(task, "failpoints");
          thread.setDaemon(true);
          thread.start();
        });
    server.start();
    http = server;
    return server.getAddress();
  }

  void close() {
    if (http != null) {
      http.stop(0);
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String name = exchange.getRequestURI().getPath().substring(1);
      Failpoint point = byName.get(name);
      String method = exchange.getRequestMethod();
      if (name.isEmpty() && method.equals("GET")) {
        answer(exchange, 200, list());
      } else if (point == null) {
        answer(exchange, NOT_FOUND, "failpoint: failpoint does not exist\n");
      } else {
        switch (method) {
          case "GET" -> get(exchange, point);
          case "PUT" -> put(exchange, point);
          case "DELETE" -> {
            planted.remove(point);
            answer(exchange, NO_CONTENT, "");
          }
          default -> answer(exchange, METHOD_NOT_ALLOWED, "Method not allowed\n");
        }
      }
    }
  }

  private void get(HttpExchange exchange, Failpoint point) throws IOException {
    Terms terms = planted.get(point);
    if (terms == null) {
      answer(exchange, NOT_FOUND, "failpoint: failpoint is disabled\n");
    } else {
      answer(exchange, 200, terms + "\n");
    }
  }

  private void put(HttpExchange exchange, Failpoint point) throws IOException {
    String text = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    try {
      planted.put(point, Terms.parse(text));
      answer(exchange, NO_CONTENT, "");
    } catch (IllegalArgumentException e) {
      answer(exchange, BAD_REQUEST, e.getMessage() + "\n");
    }
  }

  private String list() {
    StringBuilder lines = new StringBuilder();
    byName.values().stream()
        .sorted(Comparator.comparing(Failpoint::etcdName))
        .forEach(
            point -> {
              Terms terms = planted.get(point);
              lines.append(point.etcdName()).append('=').append(terms == null ? "" : terms).append('\n');
            });
    return lines.toString();
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
  }
}
