package dev.kvorum.api;

import org.jspecify.annotations.Nullable;

/// The 17 gRPC status codes, so that code below the sockets can refuse without knowing a gRPC library.
public enum GrpcCode {
  OK(0, "OK", 200),
  CANCELED(1, "Canceled", 499),
  UNKNOWN(2, "Unknown", 500),
  INVALID_ARGUMENT(3, "InvalidArgument", 400),
  DEADLINE_EXCEEDED(4, "DeadlineExceeded", 504),
  NOT_FOUND(5, "NotFound", 404),
  ALREADY_EXISTS(6, "AlreadyExists", 409),
  PERMISSION_DENIED(7, "PermissionDenied", 403),
  RESOURCE_EXHAUSTED(8, "ResourceExhausted", 429),
  FAILED_PRECONDITION(9, "FailedPrecondition", 400),
  ABORTED(10, "Aborted", 409),
  OUT_OF_RANGE(11, "OutOfRange", 400),
  UNIMPLEMENTED(12, "Unimplemented", 501),
  INTERNAL(13, "Internal", 500),
  UNAVAILABLE(14, "Unavailable", 503),
  DATA_LOSS(15, "DataLoss", 500),
  UNAUTHENTICATED(16, "Unauthenticated", 401);

  private static final GrpcCode[] BY_NUMBER = values();

  private final int number;
  private final String label;
  private final int httpStatus;

  GrpcCode(int number, String label, int httpStatus) {
    this.number = number;
    this.label = label;
    this.httpStatus = httpStatus;
  }

  /// The code of a `grpc-status` number; null when there is no such code.
  public static @Nullable GrpcCode ofNumber(int number) {
    return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
  }

  /// The number in `grpc-status`, 0 to 16.
  public int number() {
    return number;
  }

  /// The name as Go clients and etcd's logs and metrics print it, such as `InvalidArgument`.
  public String label() {
    return label;
  }

  /// The status the JSON gateway answers with.
  public int httpStatus() {
    return httpStatus;
  }
}
