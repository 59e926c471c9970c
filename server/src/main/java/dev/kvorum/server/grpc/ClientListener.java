package dev.kvorum.server.grpc;

import io.grpc.Server;
import io.grpc.netty.InternalNettyServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// One address on which clients are served: gRPC and HTTP/1.1 on the same port.
public final class ClientListener {
  /// HTTP/2 header block limit: far above any client's, far below what hurts.
  private static final int METADATA_BYTES_MAX = 1 << 20;

  /// Requests up to this size are read in full, so that they are refused in etcd's words.
  private static final long READ_BYTES_MIN = 16 << 20;

  private static final int WINDOWS = 256;
  private static final int WINDOW_MIN = 64 * 1024;
  private static final int WINDOW_MAX = 1 << 20;

  private final Server server;
  private final GrpcFront front;
  private final EventLoopGroup acceptors;
  private final EventLoopGroup workers;

  private ClientListener(Server server, GrpcFront front, EventLoopGroup acceptors, EventLoopGroup workers) {
    this.server = server;
    this.front = front;
    this.acceptors = acceptors;
    this.workers = workers;
  }

  /// How connections are kept; see etcd's `--grpc-keepalive-*` and `--max-*`. 0 turns a keepalive off.
  public record Limits(
      int maxRequestBytes,
      long maxConcurrentStreams,
      long keepAliveMinNanos,
      long keepAliveIntervalNanos,
      long keepAliveTimeoutNanos) {}

  /// Binds and serves.
  ///
  /// @param http adds what serves HTTP/1.1 to a pipeline
  /// @param loops event loops that carry the connections
  /// @throws IOException when the address cannot be bound
  public static ClientListener bind(
      InetSocketAddress address, GrpcFront front, Consumer<ChannelPipeline> http, Limits limits, int loops)
      throws IOException {
    EventLoopGroup acceptors = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    EventLoopGroup workers = new MultiThreadIoEventLoopGroup(loops, NioIoHandler.newFactory());
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(address, InternalNettyServerCredentials.create(new PortNegotiator(http)))
            .channelType(NioServerSocketChannel.class)
            .bossEventLoopGroup(acceptors)
            .workerEventLoopGroup(workers)
            .directExecutor()
            .fallbackHandlerRegistry(front)
            .addStreamTracerFactory(CallAccount.factory(front.memory()))
            // what a connection may send that nobody has asked for yet
            .flowControlWindow((int) Math.clamp(front.memory().limitBytes() / WINDOWS, WINDOW_MIN, WINDOW_MAX))
            // our own refusal comes first, in etcd's words; this only bounds what is read before it
            .maxInboundMessageSize(readBytesMax(limits.maxRequestBytes() + GrpcFront.REQUEST_OVERHEAD_BYTES))
            .maxInboundMetadataSize(METADATA_BYTES_MAX)
            .maxConcurrentCallsPerConnection((int) Math.min(Integer.MAX_VALUE, limits.maxConcurrentStreams()))
            .permitKeepAliveTime(limits.keepAliveMinNanos(), TimeUnit.NANOSECONDS)
            .permitKeepAliveWithoutCalls(false)
            // the negotiator has deadlines of its own; grpc's would cut HTTP/1.1 connections off
            .handshakeTimeout(365, TimeUnit.DAYS);
    if (limits.keepAliveIntervalNanos() > 0) {
      builder.keepAliveTime(limits.keepAliveIntervalNanos(), TimeUnit.NANOSECONDS);
    }
    if (limits.keepAliveTimeoutNanos() > 0) {
      builder.keepAliveTimeout(limits.keepAliveTimeoutNanos(), TimeUnit.NANOSECONDS);
    }
    Server server = builder.build();
    try {
      server.start();
    } catch (IOException e) {
      acceptors.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      workers.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      throw e;
    }
    return new ClientListener(server, front, acceptors, workers);
  }

  private static int readBytesMax(int requestBytesMax) {
    return (int) Math.min(Integer.MAX_VALUE, Math.max(READ_BYTES_MIN, 2L * requestBytesMax));
  }

  public int port() {
    return server.getPort();
  }

  /// Refuses new calls, gives those in flight a moment, then ends the rest.
  public void stop(long graceNanos) throws InterruptedException {
    server.shutdown();
    front.endStreams();
    if (!server.awaitTermination(graceNanos, TimeUnit.NANOSECONDS)) {
      server.shutdownNow();
      server.awaitTermination(graceNanos, TimeUnit.NANOSECONDS);
    }
    acceptors.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    workers.shutdownGracefully(0, 0, TimeUnit.SECONDS);
  }
}
