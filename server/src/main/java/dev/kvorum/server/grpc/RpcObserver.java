package dev.kvorum.server.grpc;

import io.grpc.MethodDescriptor;

/// Counts calls, as etcd's `grpc_server_*` and `etcd_server_client_requests_total` do. Any thread.
public interface RpcObserver {
  RpcObserver NONE = (method, clientApiVersion) -> code -> {};

  /// One call.
  @FunctionalInterface
  interface CallObserver {
    default void received(int bytes) {}

    default void sent(int bytes) {}

    /// @param code the gRPC code number it ended with
    void ended(int code);
  }

  CallObserver started(MethodDescriptor<?, ?> method, String clientApiVersion);
}
