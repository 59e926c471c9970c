package dev.kvorum.bench;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.function.IntFunction;

/// So many calls, each answered exactly once, so many in flight at a time.
///
/// A call refused with `too many requests` or as UNAVAILABLE (a timeout among them) is made again a little later, as a
/// client would: servers that are behind say so. All that is done this way may be done twice.
final class Batch {
  private static final int UNAVAILABLE = 14;
  private static final String TOO_MANY_REQUESTS = "too many requests";
  private static final long PAUSE_NANOS = 100_000_000;
  private static final long TURN_NANOS = 5_000_000;

  private final IntFunction<Template> requests;
  private final int count;
  private final ArrayDeque<Call> pausing = new ArrayDeque<>();
  private int next;
  private int answered;
  private int repeated;
  private String error = "";

  private Batch(int count, IntFunction<Template> requests) {
    this.count = count;
    this.requests = requests;
  }

  /// Makes `count` calls; `requests` gives the one of each number. Throws when one is refused for good, or when not all
  /// are answered within `secondsMax`.
  static void run(int port, int conns, int inflight, int count, long secondsMax, IntFunction<Template> requests)
      throws IOException {
    Batch batch = new Batch(count, requests);
    try (LoadLoop loop = new LoadLoop(port)) {
      for (int i = 0; i < conns; i++) {
        Http2Connection connection = loop.connect();
        for (int j = 0; j < inflight; j++) {
          batch.new Call(connection).sendNext();
        }
      }
      batch.await(loop, System.nanoTime() + secondsMax * 1_000_000_000L);
    }
    if (!batch.error.isEmpty()) {
      throw new IOException("a call of the preparation failed: " + batch.error);
    }
    if (batch.answered < count) {
      throw new IOException("only " + batch.answered + " of " + count + " calls were answered in " + secondsMax + " s");
    }
    if (batch.repeated > 0) {
      System.out.println("    (" + batch.repeated + " calls were refused for the moment and made again)");
    }
  }

  private void await(LoadLoop loop, long deadline) throws IOException {
    while (answered < count && error.isEmpty() && System.nanoTime() < deadline) {
      loop.turn(TURN_NANOS);
      while (!pausing.isEmpty() && System.nanoTime() - pausing.peek().againAtNanos >= 0) {
        pausing.poll().send();
      }
    }
  }

  private final class Call extends GrpcStream {
    private final Http2Connection connection;
    private int index;
    private long againAtNanos;

    Call(Http2Connection connection) {
      super(false);
      this.connection = connection;
    }

    void sendNext() {
      if (next < count) {
        index = next++;
        send();
      }
    }

    void send() {
      Template request = requests.apply(index);
      request.setStamp(System.nanoTime());
      connection.open(this, request.path());
      connection.send(this, request.frame(), request.frame().length, true);
    }

    @Override
    void onMessage(byte[] message, int length) {
      // Only the status says whether the call succeeded.
    }

    @Override
    void onEnd(int status, String text) {
      if (status == 0) {
        answered++;
        sendNext();
      } else if (status == UNAVAILABLE || text.contains(TOO_MANY_REQUESTS)) {
        repeated++;
        againAtNanos = System.nanoTime() + PAUSE_NANOS;
        pausing.add(this);
      } else {
        error = "status " + status + ", " + text;
      }
    }
  }
}
