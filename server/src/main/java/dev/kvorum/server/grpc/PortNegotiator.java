package dev.kvorum.server.grpc;

import io.grpc.ChannelLogger;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpc.netty.ProtocolNegotiationEvent;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.AsciiString;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// One port for everything: the first bytes of a connection tell who gets it.
///
/// The HTTP/2 preface goes to gRPC (plain, prior knowledge, which is what gRPC clients speak); anything else to the
/// HTTP/1.1 pipeline. It stands on grpc-java's `Internal*` classes, so the grpc version is pinned and tests cover it.
final class PortNegotiator implements InternalProtocolNegotiator.ProtocolNegotiator {
  /// etcd's header deadline: a connection that says nothing for so long is closed.
  private static final long FIRST_BYTES_SECONDS = TimeUnit.MINUTES.toSeconds(5);

  /// "PRI": no HTTP/1.1 method begins so.
  private static final byte[] PREFACE = {'P', 'R', 'I'};

  private final Consumer<ChannelPipeline> http;

  /// @param http adds what serves HTTP/1.1 to a pipeline that holds nothing else
  PortNegotiator(Consumer<ChannelPipeline> http) {
    this.http = http;
  }

  @Override
  public AsciiString scheme() {
    return AsciiString.of("http");
  }

  @Override
  public ChannelHandler newHandler(GrpcHttp2ConnectionHandler grpcHandler) {
    ChannelLogger logger = grpcHandler.getNegotiationLogger();
    return new Sniffer(
        InternalProtocolNegotiators.waitUntilActiveHandler(
            InternalProtocolNegotiators.grpcNegotiationHandler(grpcHandler), logger));
  }

  @Override
  public void close() {}

  private final class Sniffer extends ByteToMessageDecoder {
    private final ChannelHandler grpc;
    private ProtocolNegotiationEvent begin = InternalProtocolNegotiationEvent.getDefault();
    private boolean decided;

    Sniffer(ChannelHandler grpc) {
      this.grpc = grpc;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      context
          .executor()
          .schedule(
              () -> {
                if (!decided) {
                  context.close();
                }
              },
              FIRST_BYTES_SECONDS,
              TimeUnit.SECONDS);
    }

    /// grpc's "begin to negotiate" waits until we know whether there is anything to negotiate.
    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ProtocolNegotiationEvent negotiation) {
        begin = negotiation;
      } else {
        context.fireUserEventTriggered(event);
      }
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
      int known = Math.min(in.readableBytes(), PREFACE.length);
      for (int i = 0; i < known; i++) {
        if (in.getByte(in.readerIndex() + i) != PREFACE[i]) {
          decided = true;
          toHttp(context);
          return;
        }
      }
      if (known == PREFACE.length) {
        decided = true;
        // grpc's handlers settle who speaks before they are handed what has been read
        context.pipeline().addAfter(context.name(), null, grpc);
        context.fireUserEventTriggered(Connection.named(begin, context.channel()));
        context.pipeline().remove(this);
      }
    }

    /// Everything grpc put before us (it buffers writes until a negotiation that will not come) leaves the pipeline.
    private void toHttp(ChannelHandlerContext context) {
      ChannelPipeline pipeline = context.pipeline();
      for (ChannelHandler handler : pipeline.toMap().values()) {
        if (handler != this) {
          pipeline.remove(handler);
        }
      }
      http.accept(pipeline);
      pipeline.remove(this);
    }
  }
}
