package dev.kvorum.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// One address on which HTTP/1.1 alone is served.
final class HttpListener {
  private final Channel socket;
  private final ChannelGroup connections;
  private final EventLoopGroup loops;

  private HttpListener(Channel socket, ChannelGroup connections, EventLoopGroup loops) {
    this.socket = socket;
    this.connections = connections;
    this.loops = loops;
  }

  /// Binds and serves.
  ///
  /// @param http adds what answers to the pipeline of each connection
  /// @throws IOException in etcd's words when the address cannot be bound
  static HttpListener bind(InetSocketAddress address, Consumer<ChannelPipeline> http) throws IOException {
    EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loops)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    connections.add(channel);
                    http.accept(channel.pipeline());
                  }
                })
            .bind(address)
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      loops.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      throw FailureText.cannotListen(address, (Exception) bound.cause());
    }
    return new HttpListener(bound.channel(), connections, loops);
  }

  InetSocketAddress address() {
    return (InetSocketAddress) socket.localAddress();
  }

  /// Closes the socket and every connection.
  void stop() {
    socket.close().awaitUninterruptibly();
    connections.close().awaitUninterruptibly();
    loops.shutdownGracefully(0, 0, TimeUnit.SECONDS);
  }
}
