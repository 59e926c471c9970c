package dev.kvorum.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// All clients of one run: the connections to one server, and the one thread that serves them.
///
/// Whoever calls [#run] is that thread; nothing here happens outside of it.
final class LoadLoop implements AutoCloseable {
  private static final long CALL_NANOS_MAX = 30_000_000_000L;
  private static final long SELECT_NANOS_MIN = 1_500_000;
  private static final long POLL_NANOS = 50_000;

  private final InetSocketAddress address;
  private final Selector selector = Selector.open();
  private final List<Http2Connection> connections = new ArrayList<>();
  private final ByteBuffer readBuffer = ByteBuffer.allocate(256 << 10);
  private boolean toleratesLosses;

  LoadLoop(int port) throws IOException {
    address = new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
  }

  Http2Connection connect() throws IOException {
    return connect(Http2Connection.USUAL_WINDOW_BYTES);
  }

  Http2Connection connect(int windowBytes) throws IOException {
    Http2Connection connection = new Http2Connection(address, selector, windowBytes);
    connections.add(connection);
    return connection;
  }

  /// From now on a lost connection ends its calls as UNAVAILABLE ([Http2Connection#isLost]), and the loop goes on;
  /// otherwise it ends the loop.
  void tolerateLosses() {
    toleratesLosses = true;
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
      serveSelected();
    }
    return true;
  }

  /// Sends what is waiting, serves what has arrived, and returns after at most `nanos`, a few hundred microseconds
  /// included: for callers who keep time, which a selector's milliseconds cannot.
  void turn(long nanos) throws IOException {
    for (int i = 0; i < connections.size(); i++) {
      flush(connections.get(i));
    }
    if (nanos >= SELECT_NANOS_MIN) {
      selector.select(nanos / 1_000_000);
    } else if (selector.selectNow() == 0) {
      LockSupport.parkNanos(Math.min(nanos, POLL_NANOS));
      selector.selectNow();
    }
    serveSelected();
    if (toleratesLosses) {
      connections.removeIf(Http2Connection::isLost);
    }
  }

  private void serveSelected() throws IOException {
    for (SelectionKey key : selector.selectedKeys()) {
      Http2Connection connection = (Http2Connection) key.attachment();
      try {
        if (key.isReadable()) {
          connection.read(readBuffer);
        }
        connection.flush();
      } catch (IOException | CancelledKeyException e) {
        onLoss(connection, e);
      }
    }
    selector.selectedKeys().clear();
  }

  private void flush(Http2Connection connection) throws IOException {
    try {
      if (!connection.isLost()) {
        connection.flush();
      }
    } catch (IOException | CancelledKeyException e) {
      onLoss(connection, e);
    }
  }

  private void onLoss(Http2Connection connection, Exception e) throws IOException {
    IOException reason = e instanceof IOException io ? io : new IOException("closed", e);
    if (!toleratesLosses) {
      throw reason;
    }
    connection.lose(reason);
  }

  void run(long nanos) throws IOException {
    run(nanos, () -> false);
  }

  /// One call, waited for. Throws [RefusedException] when the status is not OK.
  byte[] call(Http2Connection connection, String path, byte[] request) throws IOException {
    return call(connection, path, request, CALL_NANOS_MAX);
  }

  byte[] call(Http2Connection connection, String path, byte[] request, long nanosMax) throws IOException {
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
    if (!run(nanosMax, () -> call.status >= 0)) {
      throw new IOException(path + " was not answered within " + nanosMax / 1_000_000_000 + " s");
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
