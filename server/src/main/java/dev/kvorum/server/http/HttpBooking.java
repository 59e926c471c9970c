package dev.kvorum.server.http;

import dev.kvorum.member.MemoryBudget;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;

/// Books the bodies of requests in the memory budget as they come, before they are whole; a request that finds no room
/// is answered 503 and its connection closed. One connection's.
final class HttpBooking extends ChannelDuplexHandler {
  private final MemoryBudget memory;
  private long heldBytes;
  private boolean refused;

  HttpBooking(MemoryBudget memory) {
    this.memory = memory;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (refused) {
      ReferenceCountUtil.release(message);
      return;
    }
    if (message instanceof HttpContent content && content.content().isReadable()) {
      long bytes = content.content().readableBytes();
      if (!memory.tryTake(bytes)) {
        refused = true;
        ReferenceCountUtil.release(message);
        context
            .writeAndFlush(
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.SERVICE_UNAVAILABLE))
            .addListener(ChannelFutureListener.CLOSE);
        return;
      }
      heldBytes += bytes;
    }
    context.fireChannelRead(message);
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (message instanceof FullHttpResponse) {
      release(); // the request has been dealt with
    }
    context.write(message, promise);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    release();
    refused = true;
    context.fireChannelInactive();
  }

  private void release() {
    memory.give(heldBytes);
    heldBytes = 0;
  }
}
