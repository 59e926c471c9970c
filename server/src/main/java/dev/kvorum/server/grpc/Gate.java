package dev.kvorum.server.grpc;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import java.util.function.BooleanSupplier;

/// What is asked of every call before its handler sees it, and who counts it.
///
/// @param hasLeader whether this member knows a leader now
/// @param streams where streams register while they are open
/// @param stallNanos how long a large answer waits for a client that does not read
record Gate(BooleanSupplier hasLeader, RpcObserver observer, OpenStreams streams, long stallNanos) {
  RpcObserver.CallObserver started(ServerCall<?, ?> call, Metadata headers) {
    return observer.started(call.getMethodDescriptor(), CallContext.clientApiVersion(headers));
  }

  /// @throws EtcdException when the call must not go on
  void check(Metadata headers) {
    if (CallContext.requiresLeader(headers) && !hasLeader.getAsBoolean()) {
      throw EtcdException.of(EtcdError.NO_LEADER);
    }
  }
}
