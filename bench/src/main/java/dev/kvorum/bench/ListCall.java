package dev.kvorum.bench;

/// One unary range whose answer is counted and thrown away as it comes: it may be larger than our memory.
abstract class ListCall extends GrpcStream {
  private final RangeScanner scanner = new RangeScanner();
  private long startNanos;
  private long bytes;
  private boolean whole;

  ListCall() {
    super(false);
  }

  final void start(Http2Connection connection, Template request) {
    startNanos = System.nanoTime();
    bytes = 0;
    whole = false;
    connection.open(this, request.path());
    connection.send(this, request.frame(), request.frame().length, true);
  }

  /// The call has ended with a status, after `tookNanos`.
  abstract void onDone(int status, String text, long tookNanos);

  /// Bytes of the answer's message.
  final long bytes() {
    return bytes;
  }

  /// Keys in the answer; -1 unless it came whole and says itself that there are as many.
  final long keys() {
    return whole && scanner.keys() == scanner.count() ? scanner.keys() : -1;
  }

  @Override
  final void onBegin(int length) {
    scanner.begin();
    bytes = 0;
  }

  @Override
  final void onPiece(byte[] data, int offset, int length) {
    bytes += length;
    scanner.scan(data, offset, length);
  }

  @Override
  final void onMessage(byte[] message, int length) {
    whole = scanner.isWhole();
  }

  @Override
  final void onEnd(int status, String text) {
    onDone(status, text, System.nanoTime() - startNanos);
  }
}
