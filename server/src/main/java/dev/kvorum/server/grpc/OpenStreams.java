package dev.kvorum.server.grpc;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import io.grpc.Status;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The streams being served, so that a stopping server can end each with a status clients take as "try another
/// member". Cutting their connections instead would read as a cancellation, which ends a watch for good.
final class OpenStreams {
  private final Set<Ending> open = ConcurrentHashMap.newKeySet();

  /// A stream that can be ended from outside.
  @FunctionalInterface
  interface Ending {
    /// From any thread; after its end it does nothing.
    void end(Status status);
  }

  void opened(Ending stream) {
    open.add(stream);
  }

  void closed(Ending stream) {
    open.remove(stream);
  }

  void endAll() {
    Status stopped = Statuses.of(EtcdException.of(EtcdError.STOPPED));
    for (Ending stream : open) {
      stream.end(stopped);
    }
  }
}
