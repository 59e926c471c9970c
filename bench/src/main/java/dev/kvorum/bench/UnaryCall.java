package dev.kvorum.bench;

import java.util.function.Supplier;

/// One closed-loop client of plain calls: the next request leaves when the answer to the last one is in.
final class UnaryCall extends GrpcStream {
  private final Http2Connection connection;
  private final Supplier<Template> requests;
  private final Meter meter;
  private long startNanos;

  /// `requests` hands out the next request, its key set; it may hand out the same template again.
  UnaryCall(Http2Connection connection, Supplier<Template> requests, Meter meter) {
    super(false);
    this.connection = connection;
    this.requests = requests;
    this.meter = meter;
  }

  void start() {
    startNanos = System.nanoTime();
    Template request = requests.get();
    request.setStamp(startNanos);
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
      meter.record(System.nanoTime() - startNanos);
    } else {
      meter.error(status, text);
    }
    start();
  }
}
