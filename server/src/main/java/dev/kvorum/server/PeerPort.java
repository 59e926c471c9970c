package dev.kvorum.server;

import dev.kvorum.member.Member;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// What a member without other members answers on its peer port: its version, and that there is nothing else.
final class PeerPort {
  private static final int BODY_BYTES_MAX = 64 * 1024;
  private static final int IDLE_SECONDS = 300;

  private final Member member;

  PeerPort(Member member) {
    this.member = member;
  }

  void addTo(ChannelPipeline pipeline) {
    pipeline.addLast(new IdleStateHandler(0, 0, IDLE_SECONDS, TimeUnit.SECONDS));
    pipeline.addLast(new HttpServerCodec());
    pipeline.addLast(new HttpServerKeepAliveHandler());
    pipeline.addLast(new HttpObjectAggregator(BODY_BYTES_MAX));
    pipeline.addLast(new Handler());
  }

  private String version() {
    return "{\"etcdserver\":\"%s\",\"etcdcluster\":\"%s\",\"storage\":\"%s\"}"
        .formatted(
            BuildInfo.ETCD_VERSION,
            orElse(member.clusterVersion(), "not_decided"),
            orElse(member.storageVersion(), "unknown"));
  }

  private static String orElse(@Nullable String text, String otherwise) {
    return text == null ? otherwise : text;
  }

  private final class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      boolean known = new QueryStringDecoder(request.uri()).path().equals("/version");
      if (known && request.method().equals(HttpMethod.GET)) {
        answer(context, HttpResponseStatus.OK, HttpHeaderValues.APPLICATION_JSON.toString(), version());
      } else if (known) {
        answer(context, HttpResponseStatus.METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "Method Not Allowed\n");
      } else {
        answer(context, HttpResponseStatus.NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n");
      }
    }

    private void answer(ChannelHandlerContext context, HttpResponseStatus status, String type, String body) {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      DefaultFullHttpResponse response =
          new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(bytes));
      response.headers().set(HttpHeaderNames.CONTENT_TYPE, type).setInt(HttpHeaderNames.CONTENT_LENGTH, bytes.length);
      context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof IdleStateEvent) {
        context.close();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close(); // the peer speaks no HTTP, or left
    }
  }
}
