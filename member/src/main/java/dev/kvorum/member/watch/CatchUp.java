package dev.kvorum.member.watch;

import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.Loop;
import dev.kvorum.state.keys.Event;
import dev.kvorum.state.keys.EventBatch;
import dev.kvorum.state.keys.KvView;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Brings watchers that are behind up to the live revision, one bounded window of history at a time.
///
/// A pass takes the lowest cursor among those whose stream has room, reads at most [#WINDOW_REVISIONS] revisions (and
/// [#WINDOW_BYTES] bytes) from there on a worker, and gives the events to all whose cursor lies in the window. Owned by
/// the watch loop; the worker sees only an immutable view and a list.
final class CatchUp {
  /// At most this many revisions in a response, as in etcd.
  private static final long WINDOW_REVISIONS = 1000;

  private static final int WINDOW_EVENTS = 10_000;

  /// Enough history for one pass; it may be passed by one small read, or one large revision.
  private static final long WINDOW_BYTES = 4L << 20;

  /// Rows read at once to begin with, while nothing is known of their size.
  private static final int FIRST_ROWS = 16;

  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final int WATCHERS_PER_PASS_MAX = 512;

  private final WatchHub hub;
  private final Failpoints failpoints;
  private final Executor workers;
  private final Loop loop;
  private final Supplier<KvView> views;
  private final Set<Watcher> behind = new LinkedHashSet<>();
  private boolean reading;

  CatchUp(WatchHub hub, Failpoints failpoints, Executor workers, Loop loop, Supplier<KvView> views) {
    this.hub = hub;
    this.failpoints = failpoints;
    this.workers = workers;
    this.loop = loop;
    this.views = views;
  }

  void add(Watcher watcher) {
    behind.add(watcher);
  }

  void remove(Watcher watcher) {
    behind.remove(watcher);
  }

  int size() {
    return behind.size();
  }

  /// Starts a pass if one is due and none is under way.
  void run() {
    if (reading || behind.isEmpty()) {
      return;
    }
    failpoints.reach(Failpoint.BEFORE_SYNC_WATCHERS);
    KvView view = views.get();
    boolean handedOver = false;
    try {
      cancelForgotten(view);
      List<Watcher> ready = ready();
      if (ready.isEmpty()) {
        return;
      }
      long from = Long.MAX_VALUE;
      boolean prevKv = false;
      for (Watcher watcher : ready) {
        from = Math.min(from, watcher.cursor);
        prevKv |= watcher.prevKv;
      }
      // no further than the hub has gone: live events after that are still to come
      long upTo = Math.min(hub.revision(), from + WINDOW_REVISIONS - 1);
      reading = true;
      handedOver = true;
      read(view, from, upTo, prevKv, ready);
    } finally {
      if (!handedOver) {
        view.close();
      }
    }
  }

  private void cancelForgotten(KvView view) {
    for (Watcher watcher : List.copyOf(behind)) {
      if (watcher.cursor < view.compactRevision()) {
        hub.cancelCompacted(watcher, view.compactRevision());
      }
    }
  }

  private List<Watcher> ready() {
    List<Watcher> ready = new ArrayList<>();
    for (Watcher watcher : List.copyOf(behind)) {
      if (watcher.cursor > hub.revision()) {
        behind.remove(watcher);
        hub.joinCurrent(watcher);
      } else if (ready.size() < WATCHERS_PER_PASS_MAX && watcher.session.hasRoom()) {
        ready.add(watcher);
      }
    }
    return ready;
  }

  private void read(KvView view, long from, long upTo, boolean prevKv, List<Watcher> ready) {
    try {
      workers.execute(() -> readNow(view, from, upTo, prevKv, ready));
    } catch (RejectedExecutionException full) {
      view.close();
      loop.schedule(RETRY_NANOS, this::again);
    }
  }

  private void readNow(KvView view, long from, long upTo, boolean prevKv, List<Watcher> ready) {
    try (view) {
      List<WatchEvent> events = new ArrayList<>();
      long next = from;
      long bytes = 0;
      int rows = FIRST_ROWS;
      while (next <= upTo && bytes < WINDOW_BYTES && events.size() < WINDOW_EVENTS) {
        EventBatch batch = view.events(next, upTo, rows, null);
        for (Event event : batch.events()) {
          byte[] previous = prevKv ? view.previous(event) : null;
          events.add(new WatchEvent(event, previous));
          bytes += event.kv().length + (previous == null ? 0 : previous.length);
        }
        next = batch.nextRevision();
        rows = bytes < WINDOW_BYTES / 4 ? 2 * rows : FIRST_ROWS;
      }
      long readTo = next - 1;
      loop.execute(() -> give(events, readTo, ready));
    } catch (EtcdException compacted) {
      loop.execute(this::again); // compacted while we read: the next pass tells the watchers
    } catch (Throwable failure) {
      loop.execute(
          () -> {
            throw new IllegalStateException("reading history for watchers", failure);
          });
    }
  }

  private void again() {
    reading = false;
    run();
  }

  private void give(List<WatchEvent> events, long readTo, List<Watcher> ready) {
    for (Watcher watcher : ready) {
      if (watcher.cancelled || watcher.cursor > readTo || !watcher.session.hasRoom()) {
        continue; // others of its stream may have taken the room meanwhile
      }
      for (WatchEvent event : events) {
        if (watcher.covers(event.event().key().array()) && watcher.wants(event)) {
          watcher.matched.add(event);
        }
      }
      if (!watcher.matched.isEmpty()) {
        hub.deliver(watcher, watcher.matched, hub.revision());
        watcher.matched.clear();
      }
      watcher.cursor = Math.max(watcher.cursor, readTo + 1);
      // fairness: who was served goes to the back
      behind.remove(watcher);
      if (watcher.cursor > hub.revision()) {
        hub.joinCurrent(watcher);
      } else {
        behind.add(watcher);
      }
    }
    again();
  }
}
