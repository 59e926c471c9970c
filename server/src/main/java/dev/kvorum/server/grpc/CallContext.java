package dev.kvorum.server.grpc;

import dev.kvorum.member.Caller;
import dev.kvorum.member.MemoryBudget;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.internal.ThreadExecutorMap;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// What a call's metadata and connection tell of its caller.
final class CallContext {
  private static final Metadata.Key<String> TOKEN = key("token");
  private static final Metadata.Key<String> AUTHORIZATION = key("authorization");
  private static final Metadata.Key<String> HAS_LEADER = key("hasleader");
  private static final Metadata.Key<String> CLIENT_API_VERSION = key("client-api-version");
  private static final String BEARER = "Bearer ";

  private CallContext() {}

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /// Called when the call starts, on its connection's event loop.
  static Caller caller(ServerCall<?, ?> call, Metadata headers) {
    EventExecutor loop = ThreadExecutorMap.currentExecutor();
    SocketAddress remote = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    CallAccount account = CallAccount.current();
    return new Caller(
        token(headers),
        null,
        remote == null ? "" : remote.toString(),
        loop == null ? Runnable::run : loop,
        account == null ? MemoryBudget.Account.FREE : account);
  }

  private static @Nullable String token(Metadata headers) {
    String token = headers.get(TOKEN);
    if (token == null) {
      token = headers.get(AUTHORIZATION);
    }
    return token != null && token.startsWith(BEARER) ? token.substring(BEARER.length()) : token;
  }

  static boolean requiresLeader(Metadata headers) {
    return "true".equals(headers.get(HAS_LEADER));
  }

  /// The client library's version, `unknown` when it does not say.
  static String clientApiVersion(Metadata headers) {
    String version = headers.get(CLIENT_API_VERSION);
    return version == null ? "unknown" : version;
  }
}
