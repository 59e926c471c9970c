package dev.kvorum.member.watch;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// One watch stream: its watchers, and the bounded outbox the front drains.
///
/// The front calls [#create], [#cancel], [#progress] and [#close], and takes responses with [#poll] whenever the
/// outlet says there are some, as fast as its peer reads. Any thread; the rest is the watch loop's.
public final class WatchSession {
  private static final long OUTBOX_BYTES_MAX = 8L << 20;

  /// Of the room that all streams have, one outbox takes no more than such a part, or one response.
  private static final int OUTBOX_PARTS = 8;

  /// A response of that size finds room in an empty outbox always, so that others' large ones do not hold it up.
  private static final long SMALL_BYTES = 4 * 1024;

  /// What has been taken by the network is given back in lumps: the count is shared by all streams.
  private static final long LUMP_BYTES = 16 * 1024;

  /// Requests not yet dealt with and responses not yet taken, beyond which the front reads no more requests: a client
  /// that asks and never listens must not fill our memory with answers.
  private static final int UNANSWERED_MAX = 256;

  private final WatchHub hub;
  private final WatchRoom room;
  private final int responsesMax;
  private final Runnable outlet;
  private final ConcurrentLinkedQueue<Encoded> outbox = new ConcurrentLinkedQueue<>();
  private final AtomicInteger queued = new AtomicInteger();
  private final AtomicLong queuedBytes = new AtomicLong();
  /// Polled, and not given back yet.
  private final AtomicLong polledBytes = new AtomicLong();
  private final AtomicInteger requests = new AtomicInteger();
  /// Set when a watcher waits for room; whoever makes room clears it and tells the hub.
  private volatile boolean starved;

  /// Owned by the watch loop. A compacted watcher stays as null: its id is taken until it is cancelled.
  final Map<Long, @Nullable Watcher> watchers = new TreeMap<>();
  long nextId;
  boolean closed;
  boolean notifiesProgress;

  /// @param responsesMax in the outbox, beyond which no more events are put there
  /// @param outlet called from the watch loop when there is something to [#poll]; must not block
  WatchSession(WatchHub hub, WatchRoom room, int responsesMax, Runnable outlet) {
    this.hub = hub;
    this.room = room;
    this.responsesMax = responsesMax;
    this.outlet = outlet;
  }

  /// Asks for a watcher; the answer comes through the outbox, as does everything else.
  public void create(WatchCreateRequest request) {
    requests.incrementAndGet();
    hub.create(this, request);
  }

  /// An unknown id is ignored, as etcd does.
  public void cancel(long id) {
    requests.incrementAndGet();
    hub.cancel(this, id);
  }

  /// Asks for one progress response for the whole stream.
  public void progress() {
    requests.incrementAndGet();
    hub.progress(this);
  }

  /// Whether the front may read another request. When false, it may again after some call of the outlet, or some
  /// [#poll].
  public boolean takesRequests() {
    return requests.get() + queued.get() < UNANSWERED_MAX;
  }

  /// The hub has dealt with a request, answered or not.
  void handled() {
    requests.decrementAndGet();
  }

  /// The stream is gone: its watchers go too. Again is fine.
  public void close() {
    hub.close(this);
  }

  /// The next response, or null when there is none now.
  ///
  /// To be called only when the peer has taken what was polled before, and once more then: that is how memory is known
  /// to be free again. Never again once the stream is closed.
  public @Nullable Encoded poll() {
    Encoded next = outbox.poll();
    if (next == null || polledBytes.get() >= LUMP_BYTES) {
      room.give(polledBytes.getAndSet(0));
    }
    if (next != null) {
      int left = queued.decrementAndGet();
      queuedBytes.addAndGet(-next.size());
      polledBytes.addAndGet(next.size());
      if (starved && left <= responsesMax / 2) {
        starved = false;
        hub.drained();
      }
    }
    return next;
  }

  /// Puts a response out, whether there is room or not: control responses and the batch that found room.
  void send(Encoded response) {
    if (closed) {
      return;
    }
    room.take(response.size());
    queued.incrementAndGet();
    queuedBytes.addAndGet(response.size());
    outbox.add(response);
  }

  /// Nobody will take what is left.
  void forget() {
    long bytes = polledBytes.getAndSet(0);
    for (Encoded left = outbox.poll(); left != null; left = outbox.poll()) {
      bytes += left.size();
    }
    room.give(bytes);
  }

  void flush() {
    outlet.run();
  }

  /// Whether another batch may be put out, if all streams together have room for it. An empty outbox takes one always.
  boolean hasRoom() {
    if (isBelow(responsesMax)) {
      return true;
    }
    starved = true;
    // the front may have drained it between the test and the flag
    return isBelow(responsesMax / 2 + 1);
  }

  private boolean isBelow(int responses) {
    int waiting = queued.get();
    return waiting == 0
        || waiting < responses
            && queuedBytes.get() < Math.min(OUTBOX_BYTES_MAX, room.shareBytes() / OUTBOX_PARTS);
  }

  /// The most bytes a response may have to be put out now. Until the watch loop puts something out, it only grows.
  long fitting() {
    if (!hasRoom()) {
      return 0;
    }
    return Math.max(room.fitting(), queued.get() == 0 ? SMALL_BYTES : 0);
  }
}
