package dev.kvorum.server.grpc;

import io.grpc.Attributes;
import io.grpc.ServerCall;
import io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.ProtocolNegotiationEvent;
import io.netty.channel.Channel;

/// The connection behind a call, which gRPC does not tell of: [PortNegotiator] gives it to gRPC as one of the
/// connection's attributes, and gRPC gives those to each call.
final class Connection {
  private static final Attributes.Key<Channel> CHANNEL = Attributes.Key.create("dev.kvorum.channel");

  private Connection() {}

  /// Adds `channel` to what is known when gRPC begins to negotiate.
  static ProtocolNegotiationEvent named(ProtocolNegotiationEvent begin, Channel channel) {
    Attributes known = InternalProtocolNegotiationEvent.getAttributes(begin);
    return InternalProtocolNegotiationEvent.withAttributes(begin, known.toBuilder().set(CHANNEL, channel).build());
  }

  /// Closes it at once. (Told to close, gRPC's handler would wait for the streams of the connection to end.)
  static void close(ServerCall<?, ?> call) {
    Channel channel = call.getAttributes().get(CHANNEL);
    if (channel != null) {
      channel.pipeline().firstContext().close();
    }
  }
}
