package dev.kvorum.bench;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;

/// One closed-loop lease: renewed again as soon as the last renewal is answered, on one long stream.
final class KeepAliveCall extends GrpcStream {
  static final String PATH = "/etcdserverpb.Lease/LeaseKeepAlive";

  private static final int TTL = 3;

  private final Http2Connection connection;
  private final Meter meter;
  private final byte[] request;
  private long startNanos;

  KeepAliveCall(Http2Connection connection, long leaseId, Meter meter) {
    super(true);
    this.connection = connection;
    this.meter = meter;
    this.request = Template.framed(LeaseKeepAliveRequest.newBuilder().setID(leaseId).build().toByteArray());
  }

  void start() {
    connection.open(this, PATH);
    renew();
  }

  private void renew() {
    startNanos = System.nanoTime();
    connection.send(this, request, request.length, false);
  }

  @Override
  void onMessage(byte[] message, int length) throws WireFormatException {
    meter.record(System.nanoTime() - startNanos);
    ProtoReader fields = new ProtoReader(message, 0, length);
    boolean alive = false;
    for (int field = fields.next(); field != 0; field = fields.next()) {
      alive |= field == TTL;
      fields.skip();
    }
    if (!alive) {
      meter.error(0, "the lease is gone");
    }
    renew();
  }

  @Override
  void onEnd(int status, String text) {
    meter.error(status, "the keep-alive stream ended: " + text);
  }
}
