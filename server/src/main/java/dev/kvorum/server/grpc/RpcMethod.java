package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// Method descriptors over raw bytes: requests are parsed by the handlers, which can then refuse as etcd does, and
/// answers come encoded.
final class RpcMethod {
  private RpcMethod() {}

  static MethodDescriptor<byte[], Encoded> of(MethodDescriptor<?, ?> generated) {
    return of(generated.getFullMethodName(), generated.getType());
  }

  static MethodDescriptor<byte[], Encoded> of(String fullName, MethodType type) {
    return MethodDescriptor.<byte[], Encoded>newBuilder()
        .setFullMethodName(fullName)
        .setType(type)
        .setRequestMarshaller(RawRequest.INSTANCE)
        .setResponseMarshaller(Encoded.marshaller())
        .build();
  }

  /// The same for a single answer, which is an [Encoded] or a [PiecedMessage].
  static MethodDescriptor<byte[], Object> unary(MethodDescriptor<?, ?> generated) {
    return MethodDescriptor.<byte[], Object>newBuilder()
        .setFullMethodName(generated.getFullMethodName())
        .setType(generated.getType())
        .setRequestMarshaller(RawRequest.INSTANCE)
        .setResponseMarshaller(WholeOrPieces.INSTANCE)
        .build();
  }

  private enum WholeOrPieces implements MethodDescriptor.Marshaller<Object> {
    INSTANCE;

    @Override
    public InputStream stream(Object value) {
      return value instanceof Encoded whole ? whole.stream() : (PiecedMessage) value;
    }

    @Override
    public Object parse(InputStream stream) {
      throw new UnsupportedOperationException("a server parses no answers");
    }
  }

  private enum RawRequest implements MethodDescriptor.Marshaller<byte[]> {
    INSTANCE;

    @Override
    public InputStream stream(byte[] value) {
      return new java.io.ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
