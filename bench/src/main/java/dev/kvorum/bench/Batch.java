package dev.kvorum.bench;

import java.io.IOException;
import java.util.function.IntFunction;

/// So many calls, each made exactly once, so many in flight at a time.
final class Batch {
  private final IntFunction<Template> requests;
  private final int count;
  private int next;
  private int answered;
  private int refused;
  private String firstError = "";

  private Batch(int count, IntFunction<Template> requests) {
    this.count = count;
    this.requests = requests;
  }

  /// Makes `count` calls; `requests` gives the one of each number. Throws when one is refused, or when not all are
  /// answered within `secondsMax`.
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
      loop.run(secondsMax * 1_000_000_000L, () -> batch.refused > 0 || batch.answered == count);
    }
    if (batch.refused > 0) {
      throw new IOException("a call of the preparation failed: " + batch.firstError);
    }
    if (batch.answered < count) {
      throw new IOException("only " + batch.answered + " of " + count + " calls were answered in " + secondsMax + " s");
    }
  }

  private final class Call extends GrpcStream {
    private final Http2Connection connection;

    Call(Http2Connection connection) {
      super(false);
      this.connection = connection;
    }

    void sendNext() {
      if (next == count) {
        return;
      }
      Template request = requests.apply(next++);
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
      } else if (refused++ == 0) {
        firstError = "status " + status + ", " + text;
      }
      sendNext();
    }
  }
}
