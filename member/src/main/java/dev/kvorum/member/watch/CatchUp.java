package dev.kvorum.member.watch;

import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.Loop;
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
/// A pass takes the lowest cursor among those whose stream has room, has a [HistoryWindow] read from there on a worker,
/// and gives the events to all whose cursor lies in the window, each as much as [WatchRoom] has room for. Who was served
/// goes to the back. Who could not be, since not even its next revision finds room, ends the pass, and the next one
/// waits for that room: so large responses have their turn as well as small ones. Owned by the watch loop; the worker
/// sees only an immutable view and what to read.
final class CatchUp {
  private static final long WINDOW_BYTES_MAX = 4L << 20;
  private static final long WINDOW_BYTES_MIN = 16 * 1024;

  /// Of the room that is free a window takes such a part: what it is read for needs the rest.
  private static final int WINDOW_PARTS = 4;

  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final int WATCHERS_PER_PASS_MAX = 512;

  private final WatchHub hub;
  private final Failpoints failpoints;
  private final Executor workers;
  private final Loop loop;
  private final Supplier<KvView> views;
  private final WatchRoom room;
  private final int revisionsMax;
  private final Set<Watcher> behind = new LinkedHashSet<>();
  private boolean reading;
  /// What the next pass must find room for.
  private long neededBytes = WINDOW_BYTES_MIN;

  /// @param revisionsMax read at once
  CatchUp(
      WatchHub hub,
      Failpoints failpoints,
      Executor workers,
      Loop loop,
      Supplier<KvView> views,
      WatchRoom room,
      int revisionsMax) {
    this.hub = hub;
    this.failpoints = failpoints;
    this.workers = workers;
    this.loop = loop;
    this.views = views;
    this.room = room;
    this.revisionsMax = revisionsMax;
  }

  void add(Watcher watcher) {
    behind.add(watcher);
  }

  void remove(Watcher watcher) {
    if (behind.remove(watcher)) {
      neededBytes = WINDOW_BYTES_MIN; // it may have been the one that waits for more
    }
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
      if (ready.isEmpty() || !room.hasOrAwaits(neededBytes)) {
        return;
      }
      reading = true;
      handedOver = true;
      read(view, HistoryWindow.of(ready, hub.revision(), revisionsMax, windowBytes(), 2 * room.shareBytes()), ready);
    } finally {
      if (!handedOver) {
        view.close();
      }
    }
  }

  private long windowBytes() {
    return Math.clamp(room.freeBytes() / WINDOW_PARTS, WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
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

  private void read(KvView view, HistoryWindow window, List<Watcher> ready) {
    room.take(window.bytesMax());
    try {
      workers.execute(() -> readNow(view, window, ready));
    } catch (RejectedExecutionException full) {
      view.close();
      loop.schedule(RETRY_NANOS, () -> again(window));
    }
  }

  private void readNow(KvView view, HistoryWindow window, List<Watcher> ready) {
    try (view) {
      window.read(view);
      loop.execute(() -> give(window, ready));
    } catch (EtcdException compacted) {
      loop.execute(() -> again(window)); // compacted while we read: the next pass tells the watchers
    } catch (Throwable failure) {
      loop.execute(
          () -> {
            throw new IllegalStateException("reading history for watchers", failure);
          });
    }
  }

  private void again(HistoryWindow window) {
    room.give(window.bytesMax());
    reading = false;
    run();
  }

  private void give(HistoryWindow window, List<Watcher> ready) {
    room.give(window.bytesMax()); // responses refer to what was read, and are booked each by itself
    reading = false;
    neededBytes = WINDOW_BYTES_MIN;
    for (Watcher watcher : ready) {
      if (watcher.cancelled || watcher.cursor > window.readTo() || !watcher.session.hasRoom()) {
        continue; // others of its stream may have taken the room meanwhile
      }
      long needed = serve(watcher, window);
      if (needed > 0) {
        neededBytes = needed;
        break;
      }
    }
    hub.endBatch();
    run();
  }

  /// Gives a watcher what it wants of a window, or as many revisions of it as there is room for.
  ///
  /// @return 0, or the room it needs to get on at all
  private long serve(Watcher watcher, HistoryWindow window) {
    Cut cut = match(watcher, window);
    if (watcher.matched.isEmpty() && cut.neededBytes > 0) {
      return cut.neededBytes;
    }
    if (!watcher.matched.isEmpty()) {
      hub.deliver(watcher, watcher.matched, hub.revision());
      watcher.matched.clear();
    } else if (cut.isTooLarge) {
      hub.cancelTooLarge(watcher);
      return 0;
    }
    watcher.cursor = Math.max(watcher.cursor, cut.next);
    // fairness: who was served goes to the back
    behind.remove(watcher);
    if (watcher.cursor > hub.revision()) {
      hub.joinCurrent(watcher);
    } else {
      behind.add(watcher);
    }
    return 0;
  }

  /// Where a watcher's part of a window ends.
  ///
  /// @param next the first revision that is not in it
  /// @param neededBytes what that revision needs, if it is room that lacks; else 0
  /// @param isTooLarge whether that revision can never be held
  private record Cut(long next, long neededBytes, boolean isTooLarge) {}

  /// Collects in [Watcher#matched] what the watcher wants, in whole revisions.
  private Cut match(Watcher watcher, HistoryWindow window) {
    long fitting = watcher.session.fitting();
    long bytes = 0;
    int whole = 0;
    List<WatchEvent> matched = watcher.matched;
    for (WatchEvent event : window.events()) {
      if (!watcher.wants(event) || !watcher.covers(event.event().key().array())) {
        continue;
      }
      if (!matched.isEmpty() && matched.getLast().revision() != event.revision()) {
        if (bytes > fitting) {
          break;
        }
        whole = matched.size();
      }
      if (watcher.prevKv && event.revision() == window.tooLarge()) {
        matched.subList(whole, matched.size()).clear();
        return new Cut(event.revision(), 0, true);
      }
      matched.add(event);
      bytes += event.size(watcher.prevKv);
    }
    if (bytes <= fitting) {
      return new Cut(window.readTo() + 1, 0, false);
    }
    long cutAt = matched.get(whole).revision();
    matched.subList(whole, matched.size()).clear();
    return new Cut(cutAt, bytes, false);
  }
}
