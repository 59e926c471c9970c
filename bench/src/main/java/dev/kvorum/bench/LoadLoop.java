package dev.kvorum.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;

/// All clients of one run: the connections to one server, and the one thread that serves them.
///
/// Whoever calls [#run] is that thread; nothing here happens outside of it.
final class LoadLoop implements AutoCloseable {
  private static final long CALL_NANOS_MAX = 30_000_000_000L;

  private final InetSocketAddress address;
  private final Selector selector = Selector.open();
  private final List<Http2Connection> connections = new ArrayList<>();
  private final ByteBuffer readBuffer = ByteBuffer.allocate(256 << 10);

  LoadLoop(int port) throws IOException {
    address = new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
  }

  Http2Connection connect() throws IOException {
    Http2Connection connection = new Http2Connection(address, selector);
    connections.add(connection);
    return connection;
  }

  /// Serves the connections for `nanos`, or until `done` says so. Tells whether `done` did.
  boolean run(long nanos, BooleanSupplier done) throws IOException {
    long deadline = System.nanoTime() + nanos;
    for (Http2Connection connection : connections) {
      connection.flush();
    }
    while (!done.getAsBoolean()) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      selector.select(Math.max(1, left / 1_000_000));
      for (SelectionKey key : selector.selectedKeys()) {
        Http2Connection connection = (Http2Connection) key.attachment();
        if (key.isReadable()) {
          connection.read(readBuffer);
        }
        connection.flush();
      }
      selector.selectedKeys().clear();
    }
    return true;
  }

  void run(long nanos) throws IOException {
    run(nanos, () -> false);
  }

  /// One call, waited for. Throws [RefusedException] when the status is not OK.
  byte[] call(Http2Connection connection, String path, byte[] request) throws IOException {
    var call =
        new GrpcStream(true) {
          byte[] response = new byte[0];
          int status = -1;
          String text = "";

          @Override
          void onMessage(byte[] message, int length) {
            response = Arrays.copyOf(message, length);
          }

          @Override
          void onEnd(int status, String text) {
            this.status = status;
            this.text = text;
          }
        };
    byte[] framed = Template.framed(request);
    connection.open(call, path);
    connection.send(call, framed, framed.length, true);
    if (!run(CALL_NANOS_MAX, () -> call.status >= 0)) {
      throw new IOException(path + " was not answered within 30 s");
    }
    if (call.status != 0) {
      throw new RefusedException(path, call.status, call.text);
    }
    return call.response;
  }

  @Override
  public void close() throws IOException {
    for (Http2Connection connection : connections) {
      connection.close();
    }
    selector.close();
  }
}
