package dev.kvorum.bench;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchRequest;

/// A watcher of all keys that begins in the past, and is done once it has seen the revision it was to reach.
final class CatchUpCall extends GrpcStream {
  private static final int CANCELED = 4;
  private static final int EVENTS = 11;
  private static final int EVENT_KV = 2;
  private static final int KV_MOD_REVISION = 3;

  private final long goal;
  private long seen;
  private long events;
  private String failure = "";

  /// `goal` is a revision that exists.
  CatchUpCall(long goal) {
    super(true);
    this.goal = goal;
  }

  void start(Http2Connection connection, Keys keys, long startRevision) {
    WatchCreateRequest.Builder create =
        WatchCreateRequest.newBuilder()
            .setKey(keys.first())
            .setRangeEnd(keys.end())
            .setStartRevision(startRevision);
    byte[] request = Template.framed(WatchRequest.newBuilder().setCreateRequest(create).build().toByteArray());
    connection.open(this, WatchCall.PATH);
    connection.send(this, request, request.length, false);
  }

  boolean isDone() {
    return seen >= goal || !failure.isEmpty();
  }

  long events() {
    return events;
  }

  /// Why it will never be done otherwise; empty when all is well.
  String failure() {
    return failure;
  }

  @Override
  void onMessage(byte[] message, int length) throws WireFormatException {
    ProtoReader in = new ProtoReader(message, 0, length);
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == EVENTS) {
        int outer = in.enter();
        onEvent(in);
        in.leave(outer);
        continue;
      }
      in.skip();
      if (field == CANCELED) {
        failure = "the watcher was cancelled";
      }
    }
  }

  private void onEvent(ProtoReader in) throws WireFormatException {
    events++;
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == EVENT_KV) {
        int outer = in.enter();
        for (int inner = in.next(); inner != 0; inner = in.next()) {
          if (inner == KV_MOD_REVISION) {
            onRevision(in.number());
          } else {
            in.skip();
          }
        }
        in.leave(outer);
      } else {
        in.skip();
      }
    }
  }

  private void onRevision(long revision) {
    if (revision < seen) {
      failure = "revision " + revision + " came after " + seen;
    }
    seen = revision;
  }

  @Override
  void onEnd(int status, String text) {
    failure = "the watch ended with status " + status + ", " + text;
  }
}
