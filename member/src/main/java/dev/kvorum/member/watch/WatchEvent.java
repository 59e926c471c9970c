package dev.kvorum.member.watch;

import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event.EventType;
import dev.kvorum.state.keys.Event;
import org.jspecify.annotations.Nullable;

/// One change on its way to watchers. Of a small one, each of its two forms is encoded at most once; a large one is
/// never copied: all responses refer to the stored record. Owned by the watch loop.
final class WatchEvent {
  /// From here on records are referred to.
  private static final int LARGE_BYTES = 4 * 1024;

  private final Event event;
  private final byte @Nullable [] previous;
  private final int plainSize;
  private final int size;
  private byte @Nullable [] plain;
  private byte @Nullable [] withPrevious;

  /// @param previous the stored key as it was before; null when there was none, or it is forgotten, or nobody asks
  WatchEvent(Event event, byte @Nullable [] previous) {
    this.event = event;
    this.previous = previous;
    this.plainSize = fieldSize(null);
    this.size = previous == null ? plainSize : fieldSize(previous);
  }

  Event event() {
    return event;
  }

  long revision() {
    return event.main();
  }

  boolean isDelete() {
    return event.type() == Event.Type.DELETE;
  }

  /// Bytes of the records it holds.
  long heldBytes() {
    return event.kv().length + (previous == null ? 0 : previous.length);
  }

  /// Bytes of the response field that [#writeTo] writes.
  int size(boolean prevKv) {
    return prevKv ? size : plainSize;
  }

  private int fieldSize(byte @Nullable [] prev) {
    return ProtoWriter.bytesAlwaysSize(WatchResponse.EVENTS_FIELD_NUMBER, eventSize(prev));
  }

  private int eventSize(byte @Nullable [] prev) {
    int size =
        ProtoWriter.numberSize(dev.kvorum.api.mvccpb.Event.TYPE_FIELD_NUMBER, typeNumber())
            + ProtoWriter.bytesAlwaysSize(dev.kvorum.api.mvccpb.Event.KV_FIELD_NUMBER, event.kv().length);
    return prev == null
        ? size
        : Math.addExact(
            size, ProtoWriter.bytesAlwaysSize(dev.kvorum.api.mvccpb.Event.PREV_KV_FIELD_NUMBER, prev.length));
  }

  /// Writes it as one of the `events` of a response.
  void writeTo(ProtoWriter out, boolean prevKv) {
    byte[] prev = previousFor(prevKv);
    if (event.kv().length + (prev == null ? 0 : prev.length) < LARGE_BYTES) {
      byte[] encoded = encoded(prev);
      out.bytesAlways(WatchResponse.EVENTS_FIELD_NUMBER, encoded, 0, encoded.length);
    } else {
      int mark = out.open(WatchResponse.EVENTS_FIELD_NUMBER);
      writeFields(out, prev);
      out.close(mark);
    }
  }

  private byte @Nullable [] previousFor(boolean prevKv) {
    return prevKv ? previous : null;
  }

  private byte[] encoded(byte @Nullable [] prev) {
    byte[] known = prev == null ? plain : withPrevious;
    if (known != null) {
      return known;
    }
    ProtoWriter out = ProtoWriter.measured(eventSize(prev));
    out.number(dev.kvorum.api.mvccpb.Event.TYPE_FIELD_NUMBER, typeNumber());
    out.bytesAlways(dev.kvorum.api.mvccpb.Event.KV_FIELD_NUMBER, event.kv(), 0, event.kv().length);
    if (prev != null) {
      out.bytesAlways(dev.kvorum.api.mvccpb.Event.PREV_KV_FIELD_NUMBER, prev, 0, prev.length);
    }
    byte[] encoded = out.toByteArray();
    if (prev == null) {
      plain = encoded;
    } else {
      withPrevious = encoded;
    }
    return encoded;
  }

  private void writeFields(ProtoWriter out, byte @Nullable [] prev) {
    out.number(dev.kvorum.api.mvccpb.Event.TYPE_FIELD_NUMBER, typeNumber());
    out.splice(dev.kvorum.api.mvccpb.Event.KV_FIELD_NUMBER, event.kv());
    if (prev != null) {
      out.splice(dev.kvorum.api.mvccpb.Event.PREV_KV_FIELD_NUMBER, prev);
    }
  }

  private int typeNumber() {
    return isDelete() ? EventType.DELETE_VALUE : EventType.PUT_VALUE;
  }
}
