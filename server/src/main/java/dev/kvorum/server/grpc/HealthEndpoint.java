package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.member.Caller;
import dev.kvorum.member.Reply;
import dev.kvorum.member.StreamReply;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;

/// `grpc.health.v1.Health`: one service is known, the empty name, and it serves.
final class HealthEndpoint {
  private HealthEndpoint() {}

  static void check(HealthCheckRequest request, Caller caller, Reply<Encoded> reply) {
    if (request.getService().isEmpty()) {
      reply.complete(encoded(ServingStatus.SERVING));
    } else {
      reply.refuse(EtcdException.of(GrpcCode.NOT_FOUND, "unknown service"));
    }
  }

  /// Sends the state once; it does not change while we serve, and the stream ends with the server.
  static void watch(HealthCheckRequest request, Caller caller, StreamReply<Encoded> reply) {
    reply.next(encoded(request.getService().isEmpty() ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN));
  }

  private static Encoded encoded(ServingStatus status) {
    return Encoded.of(HealthCheckResponse.newBuilder().setStatus(status).build());
  }
}
