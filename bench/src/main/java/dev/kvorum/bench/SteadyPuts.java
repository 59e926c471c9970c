package dev.kvorum.bench;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;

/// Puts that leave at a fixed rate, whether or not earlier ones were answered, as those of many independent clients do.
///
/// Each is timed from the moment it was due, so that a stall counts against every put that had to wait for its end (no
/// *coordinated omission*), and belongs to the [Tally] in force when it was due. Runs on a thread of its own until
/// closed.
final class SteadyPuts implements AutoCloseable {
  private static final long RECONNECT_NANOS = 100_000_000;

  private final LoadLoop loop;
  private final int conns;
  private final long intervalNanos;
  private final Template put;
  private final ToIntFunction<SplittableRandom> keys;
  private final SplittableRandom random = new SplittableRandom(2);
  private final List<Http2Connection> connections = new ArrayList<>();
  private final ArrayDeque<Put> idle = new ArrayDeque<>();
  private final Thread thread = new Thread(this::run, "puts");
  private volatile Tally tally = new Tally();
  private volatile boolean stopping;
  private volatile long longestGapNanos;
  private volatile String failure = "";
  private volatile long lastAnsweredNanos = System.nanoTime();
  private long reconnectAtNanos;
  private int nextConnection;

  /// `keys` draws the number of the next key to put.
  SteadyPuts(int port, int conns, int perSecond, Template put, ToIntFunction<SplittableRandom> keys)
      throws IOException {
    this.conns = conns;
    this.intervalNanos = 1_000_000_000L / perSecond;
    this.put = put;
    this.keys = keys;
    loop = new LoadLoop(port);
    loop.tolerateLosses();
    for (int i = 0; i < conns; i++) {
      connections.add(loop.connect());
    }
    thread.start();
  }

  /// Puts due from now on are counted anew.
  Tally count() {
    Tally fresh = new Tally();
    tally = fresh;
    return fresh;
  }

  /// The longest time in which no put was answered, up to now; in milliseconds.
  double longestGapMillis() {
    return Math.max(longestGapNanos, System.nanoTime() - lastAnsweredNanos) / 1e6;
  }

  /// Why there are no more puts; empty while there are.
  String failure() {
    return failure;
  }

  private void run() {
    try {
      long due = System.nanoTime();
      while (!stopping) {
        long now = System.nanoTime();
        reconnect(now);
        for (; due - now <= 0; due += intervalNanos) {
          send(due);
        }
        loop.turn(due - System.nanoTime());
      }
    } catch (IOException | RuntimeException e) {
      failure = e.toString();
    }
  }

  private void reconnect(long now) {
    connections.removeIf(Http2Connection::isLost);
    if (connections.size() < conns && now - reconnectAtNanos >= 0) {
      try {
        connections.add(loop.connect());
      } catch (IOException e) {
        reconnectAtNanos = now + RECONNECT_NANOS; // what is due until then is refused
      }
    }
  }

  private void send(long due) {
    Tally current = tally;
    current.due();
    if (connections.isEmpty()) {
      current.refused(14, "no connection");
      return;
    }
    Put call = idle.isEmpty() ? new Put() : idle.pop();
    call.start(connections.get(nextConnection++ % connections.size()), current, due);
  }

  private final class Put extends GrpcStream {
    private Tally current = tally;
    private long due;

    Put() {
      super(false);
    }

    void start(Http2Connection connection, Tally tally, long due) {
      this.current = tally;
      this.due = due;
      put.setKey(keys.applyAsInt(random));
      put.setStamp(System.nanoTime());
      connection.open(this, put.path());
      connection.send(this, put.frame(), put.frame().length, true);
    }

    @Override
    void onMessage(byte[] message, int length) {
      // Only the status says whether the call succeeded.
    }

    @Override
    void onEnd(int status, String text) {
      long now = System.nanoTime();
      if (status == 0) {
        current.answered(now - due);
        longestGapNanos = Math.max(longestGapNanos, now - lastAnsweredNanos);
        lastAnsweredNanos = now;
      } else {
        current.refused(status, text);
      }
      idle.push(this);
    }
  }

  @Override
  public void close() throws IOException {
    stopping = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loop.close();
  }
}
