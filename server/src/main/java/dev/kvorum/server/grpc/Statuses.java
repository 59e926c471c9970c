package dev.kvorum.server.grpc;

import dev.kvorum.api.EtcdException;
import io.grpc.Status;

/// The one place where a refusal becomes a gRPC status.
final class Statuses {
  private static final Status[] BY_NUMBER = new Status[17];

  static {
    for (int i = 0; i < BY_NUMBER.length; i++) {
      BY_NUMBER[i] = Status.fromCodeValue(i);
    }
  }

  private Statuses() {}

  static Status of(EtcdException refusal) {
    return BY_NUMBER[refusal.code().number()].withDescription(refusal.text());
  }
}
