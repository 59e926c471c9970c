package dev.kvorum.member.watch;

import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.mvccpb.Event.EventType;
import dev.kvorum.state.keys.Event;
import org.jspecify.annotations.Nullable;

/// One change on its way to watchers, each of its two forms encoded at most once. Owned by the watch loop.
final class WatchEvent {
  private final Event event;
  private final byte @Nullable [] previous;
  private byte @Nullable [] plain;
  private byte @Nullable [] withPrevious;

  /// @param previous the stored key as it was before; null when there was none, or it is forgotten, or nobody asks
  WatchEvent(Event event, byte @Nullable [] previous) {
    this.event = event;
    this.previous = previous;
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

  /// The encoded `mvccpb.Event`.
  byte[] encoded(boolean prevKv) {
    if (prevKv && previous != null) {
      if (withPrevious == null) {
        withPrevious = encode(previous);
      }
      return withPrevious;
    }
    if (plain == null) {
      plain = encode(null);
    }
    return plain;
  }

  private byte[] encode(byte @Nullable [] prev) {
    byte[] kv = event.kv();
    ProtoWriter out = new ProtoWriter(kv.length + (prev == null ? 0 : prev.length) + 16);
    out.number(
        dev.kvorum.api.mvccpb.Event.TYPE_FIELD_NUMBER,
        isDelete() ? EventType.DELETE_VALUE : EventType.PUT_VALUE);
    out.bytesAlways(dev.kvorum.api.mvccpb.Event.KV_FIELD_NUMBER, kv, 0, kv.length);
    if (prev != null) {
      out.bytesAlways(dev.kvorum.api.mvccpb.Event.PREV_KV_FIELD_NUMBER, prev, 0, prev.length);
    }
    return out.finish().toByteArray();
  }
}
