package dev.kvorum.member.watch;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.member.Headers;
import dev.kvorum.member.MemoryBudget;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Encodes watch responses. Watchers of one key mostly get the same events, so the encoded run of the last batch is
/// kept and spliced into the next watcher's response as it is. Owned by the watch loop.
final class WatchResponses {
  private static final int FRAGMENT_FLAG_BYTES = 2;
  /// More than that is probably referred to, not copied.
  private static final int FIRST_BUFFER_BYTES_MAX = 1 << 20;
  private static final Encoded NOTHING = Encoded.wrap(new byte[0]);

  private final Headers headers;
  private final int fragmentBytesMax;
  private List<WatchEvent> lastEvents = List.of();
  private boolean lastPrevKv;
  private Encoded lastRun = NOTHING;

  /// @param fragmentBytesMax above this a response of a fragmenting watcher is cut
  WatchResponses(Headers headers, int fragmentBytesMax) {
    this.headers = headers;
    this.fragmentBytesMax = fragmentBytesMax;
  }

  Encoded created(long id, long revision) {
    ProtoWriter out = begin(revision, id);
    out.flag(WatchResponse.CREATED_FIELD_NUMBER, true);
    return out.finish();
  }

  /// The answer to a create that is refused; the stream goes on.
  Encoded refused(long revision, String reason) {
    ProtoWriter out = begin(revision, -1);
    out.flag(WatchResponse.CREATED_FIELD_NUMBER, true);
    out.flag(WatchResponse.CANCELED_FIELD_NUMBER, true);
    out.text(WatchResponse.CANCEL_REASON_FIELD_NUMBER, reason);
    return out.finish();
  }

  Encoded cancelled(long id, long revision) {
    ProtoWriter out = begin(revision, id);
    out.flag(WatchResponse.CANCELED_FIELD_NUMBER, true);
    return out.finish();
  }

  /// What the watcher needs takes more memory than there is.
  Encoded tooLarge(long id, long revision) {
    ProtoWriter out = begin(revision, id);
    out.flag(WatchResponse.CANCELED_FIELD_NUMBER, true);
    out.text(WatchResponse.CANCEL_REASON_FIELD_NUMBER, MemoryBudget.refusal().text());
    return out.finish();
  }

  /// What the watcher needs is forgotten.
  Encoded compacted(long id, long compactRevision) {
    ProtoWriter out = begin(0, id);
    out.flag(WatchResponse.CANCELED_FIELD_NUMBER, true);
    out.number(WatchResponse.COMPACT_REVISION_FIELD_NUMBER, compactRevision);
    return out.finish();
  }

  /// All events up to `revision` have been sent to watcher `id` (-1: to all of the stream).
  Encoded progress(long id, long revision) {
    return begin(revision, id).finish();
  }

  /// One response, or several parts of one when the watcher asked for fragments and they are large.
  void events(Watcher watcher, long revision, List<WatchEvent> events, Consumer<Encoded> out) {
    Encoded run = run(events, watcher.prevKv);
    int headBytes = watcher.fragment ? begin(revision, watcher.id).size() : 0;
    if (!watcher.fragment || events.size() < 2 || headBytes + run.size() < fragmentBytesMax) {
      out.accept(response(watcher.id, revision, run, false));
      return;
    }
    List<WatchEvent> part = new ArrayList<>();
    int emptyBytes = headBytes + FRAGMENT_FLAG_BYTES;
    int bytes = emptyBytes;
    for (WatchEvent event : events) {
      int length = event.size(watcher.prevKv);
      if (!part.isEmpty() && bytes + length >= fragmentBytesMax) {
        out.accept(response(watcher.id, revision, encode(part, watcher.prevKv), true));
        part.clear();
        bytes = emptyBytes;
      }
      part.add(event);
      bytes += length;
    }
    out.accept(response(watcher.id, revision, encode(part, watcher.prevKv), false));
  }

  private Encoded response(long id, long revision, Encoded run, boolean fragment) {
    ProtoWriter out = begin(revision, id);
    out.flag(WatchResponse.FRAGMENT_FIELD_NUMBER, fragment);
    out.append(run);
    return out.finish();
  }

  private ProtoWriter begin(long revision, long id) {
    ProtoWriter out = new ProtoWriter(64);
    headers.write(out, WatchResponse.HEADER_FIELD_NUMBER, revision);
    out.number(WatchResponse.WATCH_ID_FIELD_NUMBER, id);
    return out;
  }

  /// The encoded `events` fields, tags included.
  private Encoded run(List<WatchEvent> events, boolean prevKv) {
    if (prevKv != lastPrevKv || !same(events, lastEvents)) {
      lastRun = encode(events, prevKv);
      lastEvents = List.copyOf(events);
      lastPrevKv = prevKv;
    }
    return lastRun;
  }

  private static boolean same(List<WatchEvent> a, List<WatchEvent> b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (int i = 0; i < a.size(); i++) {
      if (a.get(i) != b.get(i)) {
        return false;
      }
    }
    return true;
  }

  private static Encoded encode(List<WatchEvent> events, boolean prevKv) {
    long size = 0;
    for (WatchEvent event : events) {
      size += event.size(prevKv);
    }
    ProtoWriter out = new ProtoWriter((int) Math.min(size, FIRST_BUFFER_BYTES_MAX));
    for (WatchEvent event : events) {
      event.writeTo(out, prevKv);
    }
    return out.finish();
  }

  /// Forgets the last run, so that its events can be collected.
  void endBatch() {
    lastEvents = List.of();
    lastRun = NOTHING;
  }

  /// For a null-safe end of range.
  static byte @Nullable [] endOf(byte[] key, byte[] rangeEnd) {
    if (rangeEnd.length == 0) {
      byte[] next = java.util.Arrays.copyOf(key, key.length + 1);
      return next;
    }
    return rangeEnd.length == 1 && rangeEnd[0] == 0 ? IntervalTree.UNBOUNDED : rangeEnd;
  }
}
