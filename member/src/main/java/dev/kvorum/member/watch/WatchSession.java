package dev.kvorum.member.watch;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.member.MemoryBudget;
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
  private static final int OUTBOX_RESPONSES_MAX = 128;
  private static final long OUTBOX_BYTES_MAX = 8L << 20;

  /// Requests not yet dealt with and responses not yet taken, beyond which the front reads no more requests: a client
  /// that asks and never listens must not fill our memory with answers.
  private static final int UNANSWERED_MAX = 2 * OUTBOX_RESPONSES_MAX;

  private final WatchHub hub;
  private final MemoryBudget memory;
  private final Runnable outlet;
  private final ConcurrentLinkedQueue<Encoded> outbox = new ConcurrentLinkedQueue<>();
  private final AtomicInteger queued = new AtomicInteger();
  private final AtomicLong queuedBytes = new AtomicLong();
  private final AtomicInteger requests = new AtomicInteger();
  /// Set when a watcher waits for room; whoever makes room clears it and tells the hub.
  private volatile boolean starved;

  /// Owned by the watch loop. A compacted watcher stays as null: its id is taken until it is cancelled.
  final Map<Long, @Nullable Watcher> watchers = new TreeMap<>();
  long nextId;
  boolean closed;
  boolean notifiesProgress;

  /// @param outlet called from the watch loop when there is something to [#poll]; must not block
  WatchSession(WatchHub hub, MemoryBudget memory, Runnable outlet) {
    this.hub = hub;
    this.memory = memory;
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
  public @Nullable Encoded poll() {
    Encoded next = outbox.poll();
    if (next != null) {
      int left = queued.decrementAndGet();
      queuedBytes.addAndGet(-next.size());
      memory.give(next.size());
      if (starved && left <= OUTBOX_RESPONSES_MAX / 2 && (left == 0 || memory.hasRoomForAnswers())) {
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
    memory.force(response.size());
    queued.incrementAndGet();
    queuedBytes.addAndGet(response.size());
    outbox.add(response);
  }

  /// Nobody will take what is left.
  void forget() {
    for (Encoded left = outbox.poll(); left != null; left = outbox.poll()) {
      memory.give(left.size());
    }
  }

  void flush() {
    outlet.run();
  }

  /// Whether another batch may be put out. An empty outbox has room always, so that everyone gets on, however slowly; the
  /// others only while answers find room in memory.
  boolean hasRoom() {
    if (queued.get() == 0) {
      return true;
    }
    if (memory.hasRoomForAnswers() && queued.get() < OUTBOX_RESPONSES_MAX && queuedBytes.get() < OUTBOX_BYTES_MAX) {
      return true;
    }
    starved = true;
    // the front may have drained it between the test and the flag
    return queued.get() == 0
        || memory.hasRoomForAnswers()
            && queued.get() <= OUTBOX_RESPONSES_MAX / 2
            && queuedBytes.get() < OUTBOX_BYTES_MAX;
  }
}
