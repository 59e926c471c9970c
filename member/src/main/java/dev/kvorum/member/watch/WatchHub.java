package dev.kvorum.member.watch;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.WatchCancelReason;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest.FilterType;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.Loop;
import dev.kvorum.env.World;
import dev.kvorum.member.Headers;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.member.Strides;
import dev.kvorum.state.keys.Event;
import dev.kvorum.state.keys.KvView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Feeds every watcher of this member, on a loop of its own, so that fan-out costs apply nothing but a hand-over.
///
/// Each batch of applied events is matched against the *current* watchers, which hang in an interval tree by their key
/// range. A watcher that asks for the past, or whose stream has no room, is *behind*: [CatchUp] reads history for it,
/// in bounded windows from immutable views, until it meets the live revision and joins the tree. A watcher is never in
/// both, its cursor only rises, and a response is put out before the cursor passes it: so events are ordered, unique
/// and complete, and a progress response (sent only when all watchers of the stream are current) never overtakes any.
public final class WatchHub {
  /// A watcher without its keys: itself, its place in the tree, its entry in the stream.
  private static final long WATCHER_BYTES = 512;

  private final Loop loop;
  private final Failpoints failpoints;
  private final Supplier<KvView> views;
  private final WatchResponses responses;
  private final WatchMetrics metrics;
  private final MemoryBudget memory;
  private final WatchRoom room;
  private final CatchUp catchUp;
  private final long progressNotifyNanos;
  private final Strides strides;
  private final RandomGenerator random;

  private final IntervalTree<Watcher> current = new IntervalTree<>();
  private final Set<WatchSession> sessions = new LinkedHashSet<>();
  /// Streams opened and not closed yet; also asked by the apply loop.
  private final AtomicInteger streams = new AtomicInteger();
  /// Of events published and not matched yet.
  private final AtomicLong publishedBytes = new AtomicLong();
  private final List<Watcher> touched = new ArrayList<>();
  private final Set<WatchSession> toFlush = new LinkedHashSet<>();
  /// Everything up to here has reached the outboxes of the current watchers.
  private long revision;
  private int prevKvWatchers;
  /// Read for the batch being matched.
  private long previousBytes;

  /// @param views retains and hands out the newest published view; the caller releases it
  /// @param startRevision the store's revision when the member starts
  public WatchHub(
      World world,
      Supplier<KvView> views,
      Headers headers,
      WatchMetrics metrics,
      MemoryBudget memory,
      int fragmentBytesMax,
      long progressNotifyNanos,
      Strides strides,
      long startRevision,
      Consumer<Throwable> onFailure) {
    this.failpoints = world.failpoints();
    this.views = views;
    this.metrics = metrics;
    this.memory = memory;
    this.room = new WatchRoom(memory, this::drained);
    this.responses = new WatchResponses(headers, fragmentBytesMax);
    this.progressNotifyNanos = progressNotifyNanos;
    this.strides = strides;
    this.random = new SplittableRandom(world.random().nextLong());
    this.revision = startRevision;
    this.loop = world.loops().loop("watch", Integer.MAX_VALUE, this::afterBatch, onFailure);
    this.catchUp = new CatchUp(this, failpoints, world.loops().workers(), loop, views, room, strides.historyRevisions());
  }

  /// @param outlet called from the watch loop whenever the session has something to poll; must not block
  public WatchSession open(Runnable outlet) {
    WatchSession session = new WatchSession(this, room, strides.watchResponses(), outlet);
    streams.incrementAndGet(); // before the view is asked: what the apply loop passed over by then is in it
    loop.execute(
        () -> {
          if (sessions.isEmpty()) {
            catchUpWithView();
          }
          sessions.add(session);
          metrics.streamOpened();
        });
    return session;
  }

  /// Whether streams wait for memory that others hold: whoever does not read for long is better given up. Any thread.
  public boolean isShortOfMemory() {
    return room.isShort();
  }

  /// Events that have become readable, in order, up to and including `upTo`. Called by the apply loop, after the view
  /// that holds them is published and before anyone is told that they are applied.
  ///
  /// While nobody watches, nothing is handed over: the first stream takes the revision from the view. And when more
  /// waits to be matched than memory has room for, the watchers are to read it from history.
  public void publish(List<Event> events, long upTo) {
    if (streams.get() == 0) {
      return;
    }
    long bytes = 0;
    for (Event event : events) {
      bytes += event.kv().length;
    }
    if (publishedBytes.get() > 0 && publishedBytes.get() + bytes > room.shareBytes()) {
      jumped(upTo);
      return;
    }
    publishedBytes.addAndGet(bytes);
    long published = bytes;
    List<Event> batch = List.copyOf(events);
    loop.execute(
        () -> {
          live(batch, upTo);
          publishedBytes.addAndGet(-published);
        });
  }

  /// The store went on from its revision to `to` at once: what happened in between is in its history only, for whoever
  /// watches to be read from there. Called by the apply loop, after the view is published.
  public void jumped(long to) {
    loop.execute(() -> jumpedNow(to));
  }

  private void jumpedNow(long to) {
    List<Watcher> all = new ArrayList<>();
    sessions.forEach(session -> session.watchers.values().forEach(all::add));
    for (Watcher watcher : all) {
      if (watcher != null && watcher.current && watcher.cursor <= to) {
        watcher.cursor = Math.max(watcher.cursor, revision + 1);
        leaveCurrent(watcher);
        catchUp.add(watcher);
      }
    }
    revision = Math.max(revision, to);
  }

  private void catchUpWithView() {
    try (KvView view = views.get()) {
      revision = Math.max(revision, view.currentRevision());
    }
  }

  private void live(List<Event> events, long upTo) {
    if (!events.isEmpty() && !current.isEmpty()) {
      if (matchAll(events)) {
        for (Watcher watcher : touched) {
          deliverLive(watcher);
        }
      } else {
        touched.forEach(watcher -> watcher.matched.clear());
        jumpedNow(upTo);
      }
      touched.clear();
      responses.endBatch();
    }
    revision = Math.max(revision, upTo);
    catchUp.run();
  }

  /// @return false when what was there before takes more memory than there is room for
  private boolean matchAll(List<Event> events) {
    previousBytes = 0;
    try (KvView view = prevKvWatchers > 0 ? views.get() : null) {
      for (Event event : events) {
        match(event, view);
        if (previousBytes > room.shareBytes()) {
          return false;
        }
      }
    }
    return true;
  }

  private void match(Event event, @Nullable KvView view) {
    MatchedEvent matched = new MatchedEvent(event, view);
    current.visit(
        event.key().array(),
        watcher -> {
          if (watcher.matched.isEmpty()) {
            touched.add(watcher);
          }
          matched.giveTo(watcher);
        });
  }

  /// One event of the batch, encoded and joined with its predecessor only once somebody wants it.
  private final class MatchedEvent {
    private final Event event;
    private final @Nullable KvView view;
    private @Nullable WatchEvent shared;

    MatchedEvent(Event event, @Nullable KvView view) {
      this.event = event;
      this.view = view;
    }

    void giveTo(Watcher watcher) {
      if (shared == null) {
        shared = new WatchEvent(event, view == null ? null : previous(view, event));
      }
      if (watcher.wants(shared)) {
        watcher.matched.add(shared);
      }
    }
  }

  private byte @Nullable [] previous(KvView view, Event event) {
    try {
      byte[] previous = view.previous(event);
      previousBytes += previous == null ? 0 : previous.length;
      return previous;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void deliverLive(Watcher watcher) {
    if (watcher.matched.isEmpty()) {
      return; // touched twice, or filtered out
    }
    if (sizeOf(watcher.matched, watcher.prevKv) <= watcher.session.fitting()) {
      deliver(watcher, watcher.matched, watcher.matched.getLast().revision());
    } else {
      failpoints.reach(Failpoint.BEFORE_MOVE_VICTIMS);
      watcher.cursor = watcher.matched.getFirst().revision();
      leaveCurrent(watcher);
      catchUp.add(watcher);
    }
    watcher.matched.clear();
  }

  private static long sizeOf(List<WatchEvent> events, boolean prevKv) {
    long bytes = 0;
    for (WatchEvent event : events) {
      bytes += event.size(prevKv);
    }
    return bytes;
  }

  /// Puts `events` out and moves the cursor behind the last of them.
  void deliver(Watcher watcher, List<WatchEvent> events, long headerRevision) {
    failpoints.reach(Failpoint.BEFORE_SEND_WATCH_RESPONSE);
    responses.events(watcher, headerRevision, events, watcher.session::send);
    watcher.cursor = events.getLast().revision() + 1;
    watcher.heardFrom = true;
    metrics.eventsSent(events.size());
    toFlush.add(watcher.session);
  }

  long revision() {
    return revision;
  }

  /// Hangs a caught-up watcher into the tree.
  void joinCurrent(Watcher watcher) {
    watcher.current = true;
    current.add(watcher.begin, watcher.end, watcher);
  }

  private void leaveCurrent(Watcher watcher) {
    if (watcher.current) {
      watcher.current = false;
      current.remove(watcher.begin, watcher.end, watcher);
    }
  }

  /// All that was matched has been delivered.
  void endBatch() {
    responses.endBatch();
  }

  /// What `watcher` needs next has been compacted away.
  void cancelCompacted(Watcher watcher, long compactRevision) {
    end(watcher, responses.compacted(watcher.id, compactRevision));
  }

  /// One revision, with what its keys held before, is more than can be held at once.
  void cancelTooLarge(Watcher watcher) {
    end(watcher, responses.tooLarge(watcher.id, revision));
  }

  private void end(Watcher watcher, Encoded last) {
    WatchSession session = watcher.session;
    session.send(last);
    toFlush.add(session);
    drop(watcher);
    session.watchers.put(watcher.id, null);
  }

  void create(WatchSession session, WatchCreateRequest request) {
    loop.execute(
        () -> {
          createNow(session, request);
          handled(session);
        });
  }

  /// The front may wait to hear that there is room for another request.
  private void handled(WatchSession session) {
    session.handled();
    if (!session.closed) {
      toFlush.add(session);
    }
  }

  private void createNow(WatchSession session, WatchCreateRequest request) {
    if (session.closed) {
      return;
    }
    toFlush.add(session);
    byte[] key = request.getKey().isEmpty() ? new byte[] {0} : request.getKey().toByteArray();
    byte[] end = WatchResponses.endOf(key, request.getRangeEnd().toByteArray());
    if (request.getStartRevision() < 0) {
      session.send(responses.refused(revision, WatchCancelReason.NEGATIVE_START.text()));
      return;
    }
    if (end != null && java.util.Arrays.compareUnsigned(key, end) >= 0) {
      session.send(responses.refused(revision, WatchCancelReason.EMPTY_RANGE.text()));
      return;
    }
    long id = request.getWatchId();
    if (id == 0) {
      while (session.watchers.containsKey(session.nextId)) {
        session.nextId++;
      }
      id = session.nextId++;
    } else if (session.watchers.containsKey(id)) {
      session.send(responses.refused(revision, WatchCancelReason.DUPLICATE_ID.text()));
      return;
    }
    if (!memory.tryTake(bytesOf(key, end))) {
      session.send(responses.refused(revision, MemoryBudget.refusal().text()));
      return;
    }
    long now = newestRevision();
    Watcher watcher = watcher(session, request, id, key, end, now);
    session.watchers.put(id, watcher);
    if (watcher.progressNotify && !session.notifiesProgress) {
      session.notifiesProgress = true;
      scheduleProgress(session);
    }
    prevKvWatchers += watcher.prevKv ? 1 : 0;
    metrics.watcherAdded();
    session.send(responses.created(id, now));
    if (watcher.cursor > revision) {
      joinCurrent(watcher);
    } else {
      catchUp.add(watcher);
    }
  }

  /// What anybody may have read by now, its events perhaps still being on their way to this loop.
  private long newestRevision() {
    try (KvView view = views.get()) {
      return Math.max(revision, view.currentRevision());
    }
  }

  private Watcher watcher(
      WatchSession session, WatchCreateRequest request, long id, byte[] key, byte @Nullable [] end, long now) {
    long start = request.getStartRevision() == 0 ? now + 1 : request.getStartRevision();
    return new Watcher(
        id,
        session,
        key,
        end,
        request.getFiltersValueList().contains(FilterType.NOPUT_VALUE),
        request.getFiltersValueList().contains(FilterType.NODELETE_VALUE),
        request.getPrevKv(),
        request.getFragment(),
        request.getProgressNotify(),
        request.getStartRevision(),
        start);
  }

  void cancel(WatchSession session, long id) {
    loop.execute(
        () -> {
          if (!session.closed && session.watchers.containsKey(id)) {
            Watcher watcher = session.watchers.remove(id);
            if (watcher != null) {
              drop(watcher);
            }
            session.send(responses.cancelled(id, revision));
          }
          handled(session);
        });
  }

  /// What a watcher takes of memory.
  private static long bytesOf(byte[] key, byte @Nullable [] end) {
    return WATCHER_BYTES + key.length + (end == null ? 0 : end.length);
  }

  private void drop(Watcher watcher) {
    memory.give(bytesOf(watcher.begin, watcher.end));
    watcher.cancelled = true;
    leaveCurrent(watcher);
    catchUp.remove(watcher);
    prevKvWatchers -= watcher.prevKv ? 1 : 0;
    metrics.watcherRemoved();
  }

  void progress(WatchSession session) {
    loop.execute(
        () -> {
          failpoints.reach(Failpoint.BEFORE_PROGRESS_IF_SYNC);
          if (!session.closed && allCurrent(session)) {
            session.send(responses.progress(-1, revision));
          }
          handled(session);
        });
  }

  /// Whether the stream has watchers, and none still waits for events at or below the revision we would name.
  private boolean allCurrent(WatchSession session) {
    boolean any = false;
    for (Watcher watcher : session.watchers.values()) {
      if (watcher != null) {
        any = true;
        if (!watcher.isAt(revision)) {
          return false;
        }
      }
    }
    return any;
  }

  void close(WatchSession session) {
    loop.execute(
        () -> {
          if (session.closed) {
            return;
          }
          session.closed = true;
          sessions.remove(session);
          streams.decrementAndGet();
          toFlush.remove(session);
          metrics.streamClosed();
          for (Watcher watcher : new TreeMap<>(session.watchers).values()) {
            if (watcher != null) {
              drop(watcher);
            }
          }
          session.watchers.clear();
          session.forget();
        });
  }

  /// Some outbox has room again. Any thread.
  void drained() {
    loop.execute(catchUp::run);
  }

  /// Every now and then, tells the watchers of a stream that asked for it how far they are, if nothing else does.
  private void scheduleProgress(WatchSession session) {
    long delay = progressNotifyNanos + random.nextLong(progressNotifyNanos / 10 + 1);
    loop.schedule(
        delay,
        () -> {
          if (session.closed) {
            return;
          }
          for (Watcher watcher : session.watchers.values()) {
            if (watcher == null || !watcher.progressNotify) {
              continue;
            }
            if (watcher.isAt(revision) && !watcher.heardFrom) {
              session.send(responses.progress(watcher.id, revision));
              toFlush.add(session);
            }
            watcher.heardFrom = false;
          }
          scheduleProgress(session);
        });
  }

  private void afterBatch() {
    catchUp.run();
    if (!toFlush.isEmpty()) {
      for (WatchSession session : toFlush) {
        session.flush();
      }
      toFlush.clear();
    }
    metrics.behind(catchUp.size());
  }

  public void stop() {
    loop.stop();
  }

  public boolean awaitStopped(long timeoutNanos) throws InterruptedException {
    return loop.awaitStopped(timeoutNanos);
  }
}
