package dev.kvorum.bench;

import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchRequest;

/// One watcher of one key: counts events, and takes their time from the stamp in the value.
final class WatchCall extends GrpcStream {
  static final String PATH = "/etcdserverpb.Watch/Watch";

  private static final int CREATED = 3;
  private static final int CANCELED = 4;
  private static final int EVENTS = 11;
  private static final int EVENT_KV = 2;
  private static final int KV_VALUE = 5;

  private final Meter meter;
  private boolean created;

  WatchCall(Meter meter) {
    super(true);
    this.meter = meter;
  }

  void start(Http2Connection connection) {
    WatchCreateRequest create = WatchCreateRequest.newBuilder().setKey(Template.key(0)).build();
    byte[] request = Template.framed(WatchRequest.newBuilder().setCreateRequest(create).build().toByteArray());
    connection.open(this, PATH);
    connection.send(this, request, request.length, false);
  }

  boolean isCreated() {
    return created;
  }

  @Override
  void onMessage(byte[] message, int length) {
    WireReader fields = new WireReader(message, 0, length);
    while (fields.next()) {
      switch (fields.field()) {
        case CREATED -> created = true;
        case CANCELED -> meter.error(0, "the watcher was cancelled");
        case EVENTS -> onEvent(message, fields);
        default -> {
          // Header and ids say nothing here.
        }
      }
    }
  }

  private void onEvent(byte[] message, WireReader response) {
    WireReader event = new WireReader(message, response.offset(), response.end());
    while (event.next()) {
      if (event.field() == EVENT_KV) {
        WireReader kv = new WireReader(message, event.offset(), event.end());
        while (kv.next()) {
          if (kv.field() == KV_VALUE && kv.end() - kv.offset() >= Template.STAMP_BYTES) {
            meter.record(System.nanoTime() - WireReader.longAt(message, kv.offset()));
          }
        }
      }
    }
  }

  @Override
  void onEnd(int status, String text) {
    meter.error(status, "the watch ended: " + text);
  }
}
