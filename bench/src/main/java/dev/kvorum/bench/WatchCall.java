package dev.kvorum.bench;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.WireFormatException;
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
  void onMessage(byte[] message, int length) throws WireFormatException {
    ProtoReader in = new ProtoReader(message, 0, length);
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == EVENTS) {
        int outer = in.enter();
        onEvent(message, in);
        in.leave(outer);
        continue;
      }
      in.skip();
      if (field == CREATED) {
        created = true;
      } else if (field == CANCELED) {
        meter.error(0, "the watcher was cancelled");
      }
    }
  }

  private void onEvent(byte[] message, ProtoReader in) throws WireFormatException {
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == EVENT_KV) {
        int outer = in.enter();
        onKeyValue(message, in);
        in.leave(outer);
      } else {
        in.skip();
      }
    }
  }

  private void onKeyValue(byte[] message, ProtoReader in) throws WireFormatException {
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == KV_VALUE) {
        int outer = in.enter();
        if (in.limit() - in.position() >= Template.STAMP_BYTES) {
          meter.record(System.nanoTime() - Template.readStamp(message, in.position()));
        }
        in.leave(outer);
      } else {
        in.skip();
      }
    }
  }

  @Override
  void onEnd(int status, String text) {
    meter.error(status, "the watch ended: " + text);
  }
}
