package dev.kvorum.server.http;

import dev.kvorum.member.MemoryBudget;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.timeout.IdleStateHandler;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// HTTP/1.1 on the client port. Answers come whole and later, on the connection's loop; one request at a time.
///
/// Who may ask: names in `--host-whitelist` (against DNS rebinding, CVE-2018-5702), browsers from `--cors` origins.
public final class HttpFront {
  private static final int BODY_BYTES_MAX = 2 << 20;
  private static final int IDLE_SECONDS = 300;

  private final HttpRoutes routes;
  private final MemoryBudget memory;
  private final List<String> hostWhitelist;
  private final List<String> corsOrigins;

  public HttpFront(
      HttpRoutes routes, MemoryBudget memory, List<String> hostWhitelist, List<String> corsOrigins) {
    this.routes = routes;
    this.memory = memory;
    this.hostWhitelist = hostWhitelist;
    this.corsOrigins = corsOrigins;
  }

  /// Makes `pipeline` serve HTTP/1.1.
  public void addTo(ChannelPipeline pipeline) {
    pipeline.addLast(new IdleStateHandler(0, 0, IDLE_SECONDS, TimeUnit.SECONDS));
    pipeline.addLast(new HttpServerCodec());
    pipeline.addLast(new HttpServerKeepAliveHandler());
    pipeline.addLast(new HttpBooking(memory));
    pipeline.addLast(new HttpObjectAggregator(BODY_BYTES_MAX));
    pipeline.addLast(new Handler());
  }

  private final class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      if (request.decoderResult().isFailure()) {
        malformed(context, "400 Bad Request");
        return;
      }
      if (request.protocolVersion().minorVersion() >= 1 && !request.headers().contains(HttpHeaderNames.HOST)) {
        malformed(context, "400 Bad Request: missing required Host header");
        return;
      }
      HttpQuery query = HttpQuery.of(request, context.executor());
      context.channel().config().setAutoRead(false); // answers keep the order of requests
      admitted(
          query,
          answer -> {
            if (context.executor().inEventLoop()) {
              write(context, answer);
            } else {
              context.executor().execute(() -> write(context, answer));
            }
          });
    }

    /// Whatever follows on such a connection cannot be trusted either.
    private void malformed(ChannelHandlerContext context, String why) {
      write(context, HttpAnswer.plain(400, why).with("Connection", "close"));
      context.channel().config().setAutoRead(false);
    }

    private void write(ChannelHandlerContext context, HttpAnswer answer) {
      DefaultFullHttpResponse response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1,
              HttpResponseStatus.valueOf(answer.status()),
              Unpooled.wrappedBuffer(answer.body()));
      answer.headers().forEach((name, value) -> response.headers().set(name, value));
      response.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
      context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
      context.channel().config().setAutoRead(true);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof io.netty.handler.timeout.IdleStateEvent) {
        context.close();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close(); // the peer speaks no HTTP, or left
    }
  }

  private void admitted(HttpQuery query, Consumer<HttpAnswer> reply) {
    if (!hostAllowed(query)) {
      reply.accept(HttpAnswer.plain(421, HOST_REFUSAL));
      return;
    }
    String origin = allowedOrigin(query);
    Consumer<HttpAnswer> corsReply = origin == null ? reply : answer -> reply.accept(withCors(answer, origin));
    if (query.method().equals("OPTIONS")) {
      corsReply.accept(HttpAnswer.empty(200));
    } else {
      routes.answer(query, corsReply);
    }
  }

  private boolean hostAllowed(HttpQuery query) {
    if (hostWhitelist.isEmpty() || hostWhitelist.contains("*")) {
      return true;
    }
    String host = query.headers().get(HttpHeaderNames.HOST, "");
    int colon = host.lastIndexOf(':');
    String name = colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    return hostWhitelist.contains(name);
  }

  private @org.jspecify.annotations.Nullable String allowedOrigin(HttpQuery query) {
    if (corsOrigins.contains("*")) {
      return "*";
    }
    String origin = query.headers().get(HttpHeaderNames.ORIGIN);
    return origin != null && corsOrigins.contains(origin) ? origin : null;
  }

  private static HttpAnswer withCors(HttpAnswer answer, String origin) {
    return answer
        .with("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE")
        .with("Access-Control-Allow-Origin", origin)
        .with("Access-Control-Allow-Headers", "accept, content-type, authorization");
  }

  private static final String HOST_REFUSAL =
      """

      etcd received your request, but the Host header was unrecognized.

      To fix this, choose one of the following options:
      - Enable TLS, then any HTTPS request will be allowed.
      - Add the hostname you want to use to the whitelist in settings.
        - e.g. etcd --host-whitelist "HOST"

      This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).
      """;
}
