package dev.kvorum.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A refusal on its way to the client: an [EtcdError], or a code with a text that has a number or a name in it.
///
/// It carries no stack trace and suppresses nothing, so that refusing costs about as much as answering; shared
/// instances are safe for the same reason. Turned into a status in one place, at the front.
public final class EtcdException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final EtcdException[] SHARED = shared();

  private final transient @Nullable EtcdError error;
  private final GrpcCode code;

  private EtcdException(@Nullable EtcdError error, GrpcCode code, String message) {
    super(message, null, false, false);
    this.error = error;
    this.code = code;
  }

  private static EtcdException[] shared() {
    EtcdError[] errors = EtcdError.values();
    EtcdException[] exceptions = new EtcdException[errors.length];
    for (EtcdError error : errors) {
      exceptions[error.ordinal()] = new EtcdException(error, error.code(), error.message());
    }
    return exceptions;
  }

  public static EtcdException of(EtcdError error) {
    return SHARED[error.ordinal()];
  }

  /// A refusal outside the catalogue. `code` must not be OK.
  public static EtcdException of(GrpcCode code, String message) {
    if (code == GrpcCode.OK) {
      throw new IllegalArgumentException("OK is not a refusal: " + message);
    }
    return new EtcdException(null, code, message);
  }

  /// A request frame above the limit: both sizes in bytes, the limit being max-request-bytes plus 512 KiB.
  public static EtcdException receivedTooLarge(long sizeBytes, long limitBytes) {
    return of(
        GrpcCode.RESOURCE_EXHAUSTED,
        "grpc: received message larger than max (" + sizeBytes + " vs. " + limitBytes + ")");
  }

  /// A call to a service that is not served, such as `grpc.reflection.v1.ServerReflection`.
  public static EtcdException unknownService(String service) {
    return of(GrpcCode.UNIMPLEMENTED, "unknown service " + service);
  }

  public static EtcdException unknownMethod(String service, String method) {
    return of(GrpcCode.UNIMPLEMENTED, "unknown method " + method + " for service " + service);
  }

  /// A `Grpc-Timeout` header of the gateway that does not parse.
  public static EtcdException invalidGrpcTimeout(String value) {
    return of(GrpcCode.INVALID_ARGUMENT, "invalid grpc-timeout: " + value);
  }

  /// The same text with the code lost, as Lock and Election answer when a call they made inside was refused: etcd
  /// passes the inner client's error on without its status. Client cancellations and deadlines keep their code.
  public EtcdException asInnerCall() {
    return switch (code) {
      case CANCELED, DEADLINE_EXCEEDED, UNKNOWN -> this;
      default -> new EtcdException(error, GrpcCode.UNKNOWN, text());
    };
  }

  /// The catalogue entry; null for an ad-hoc text.
  public @Nullable EtcdError error() {
    return error;
  }

  /// The code on the wire, never OK.
  public GrpcCode code() {
    return code;
  }

  /// The status text, never null.
  public String text() {
    return Objects.requireNonNull(getMessage());
  }

  @Override
  public String toString() {
    return "rpc error: code = " + code.label() + " desc = " + text();
  }
}
