package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.ServerCall;
import io.grpc.internal.ServerStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// One gRPC message that is written piece by piece, long after gRPC was handed it.
///
/// gRPC takes a message whole: `sendMessage` returns once all its bytes are in network buffers. Two of its traits let
/// us do otherwise, without a thread that waits. A message of known length is *drained*: gRPC writes the five bytes of
/// its head, then has the message write itself ([#drainTo]) into an output that cuts network buffers of 1 MiB. We keep
/// that output, say that all is written, and write to it later, as the peer reads. And each full buffer, its head's
/// five bytes included, can be sent by itself with a `flush` of the call's stream. So memory holds a buffer or two of
/// an answer of any size, and `isReady` tells of the middle of a message what it tells between messages.
///
/// Both are gRPC's inner workings, as is the stream behind a call, which is found by reflection: the version is pinned,
/// and `MemoryCeilingTest` watches over it. A buffer must never be flushed before it is full (gRPC
/// then would allocate too little); hence [#BUFFER_BYTES].
///
/// Owned by the connection's loop.
final class PiecedMessage extends InputStream implements KnownLength, Drainable {
  /// `NettyWritableBufferAllocator.MAX_BUFFER`.
  static final int BUFFER_BYTES = 1 << 20;

  private static final int HEAD_BYTES = 5;
  private static final VarHandle STREAM = streamOfCall();

  private final int size;
  private final ServerStream stream;
  private OutputStream out = OutputStream.nullOutputStream();
  private int inBuffer = HEAD_BYTES;
  private int written;

  /// The one answer of a call.
  PiecedMessage(ServerCall<?, ?> call, int size) {
    this.size = size;
    this.stream = (ServerStream) STREAM.get(call);
  }

  /// Begins one of many messages of a call, of which the headers have been sent. (`sendMessage` would flush the head.)
  static PiecedMessage ofStream(ServerCall<?, ?> call, int size) {
    PiecedMessage message = new PiecedMessage(call, size);
    message.stream.writeMessage(message);
    return message;
  }

  private static VarHandle streamOfCall() {
    try {
      Class<?> call = Class.forName("io.grpc.internal.ServerCallImpl");
      return MethodHandles.privateLookupIn(call, MethodHandles.lookup())
          .findVarHandle(call, "stream", ServerStream.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @Override
  public int available() {
    return size;
  }

  @Override
  public int drainTo(OutputStream target) {
    out = target;
    return size;
  }

  @Override
  public int read() {
    throw new UnsupportedOperationException("this message is drained");
  }

  /// Writes what comes next of the message, and sends what is full.
  void write(Encoded piece) {
    try {
      piece.writeTo(new Buffers());
    } catch (IOException e) {
      throw new IllegalStateException("gRPC's buffers do not fail", e);
    }
  }

  /// Whether all that was announced has been written.
  boolean isWhole() {
    return written == size;
  }

  /// Sends what has not been sent yet of a message that is whole, and one of many.
  void end() {
    stream.flush();
  }

  /// Gives the call up: what was sent is no message, and the peer is told by a reset.
  void cancel(io.grpc.Status why) {
    stream.cancel(why);
  }

  /// Cuts what is written where gRPC's buffers are full.
  private final class Buffers extends OutputStream {
    @Override
    public void write(int one) throws IOException {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] array, int offset, int length) throws IOException {
      int from = offset;
      int left = length;
      while (left > 0) {
        int now = Math.min(left, BUFFER_BYTES - inBuffer);
        out.write(array, from, now);
        from += now;
        left -= now;
        written += now;
        inBuffer += now;
        if (inBuffer == BUFFER_BYTES) {
          inBuffer = 0;
          stream.flush();
        }
      }
    }
  }
}
