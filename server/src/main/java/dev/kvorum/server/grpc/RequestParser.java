package dev.kvorum.server.grpc;

import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import java.io.IOException;

/// Bytes to a request message, with etcd's refusals.
///
/// @param bytesMax the largest request frame (`--max-request-bytes` and 512 KiB)
record RequestParser<Q>(Parse<Q> parse, int bytesMax) {
  /// A generated class's `parseFrom`.
  @FunctionalInterface
  interface Parse<Q> {
    Q from(byte[] bytes) throws IOException;
  }

  Q request(byte[] bytes) {
    if (bytes.length > bytesMax) {
      throw EtcdException.receivedTooLarge(bytes.length, bytesMax);
    }
    try {
      return parse.from(bytes);
    } catch (IOException e) {
      throw EtcdException.of(GrpcCode.INTERNAL, "grpc: error unmarshalling request: " + e.getMessage());
    }
  }
}
