package dev.kvorum.member.watch;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.keys.Event;
import dev.kvorum.state.keys.EventBatch;
import dev.kvorum.state.keys.KvView;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A stretch of history for watchers that are behind: described by the watch loop, read by a worker, and the loop's
/// again.
///
/// It ends with the revision that reaches one of its bounds, so it holds a revision at least. What a revision's keys
/// held before is read only for keys that someone asks it of; more of that than `previousBytesMax` in one revision is
/// not held: see [#tooLarge].
final class HistoryWindow {
  private static final int EVENTS_MAX = 10_000;

  /// Changes read at once; their previous values are read after them.
  private static final int ROWS = 1000;

  private final long from;
  private final long upTo;
  private final long bytesMax;
  private final long previousBytesMax;
  private final List<Watcher> askPrevious;
  private final List<WatchEvent> events = new ArrayList<>();
  private long readTo;
  private long bytes;
  private long tooLarge = -1;

  private HistoryWindow(long from, long upTo, long bytesMax, long previousBytesMax, List<Watcher> askPrevious) {
    this.from = from;
    this.upTo = upTo;
    this.bytesMax = bytesMax;
    this.previousBytesMax = previousBytesMax;
    this.askPrevious = askPrevious;
  }

  /// The window that brings on the last of `ready`, and those that are near.
  ///
  /// @param bytesMax of records; as much again of what keys held before
  /// @param revision no further than the hub has gone: live events after that are still to come
  /// @param revisionsMax at most so many
  static HistoryWindow of(
      List<Watcher> ready, long revision, int revisionsMax, long bytesMax, long previousBytesMax) {
    long from = Long.MAX_VALUE;
    List<Watcher> askPrevious = new ArrayList<>();
    for (Watcher watcher : ready) {
      from = Math.min(from, watcher.cursor);
      if (watcher.prevKv) {
        askPrevious.add(watcher);
      }
    }
    return new HistoryWindow(from, Math.min(revision, from + revisionsMax - 1), bytesMax, previousBytesMax, askPrevious);
  }

  long bytesMax() {
    return bytesMax;
  }

  /// Called by a worker.
  void read(KvView view) throws CorruptionException {
    long next = from;
    while (next <= upTo && bytes < bytesMax && events.size() < EVENTS_MAX) {
      EventBatch batch = view.events(next, upTo, ROWS, bytesMax - bytes, null);
      next = askPrevious.isEmpty() ? addPlain(batch) : addWithPrevious(view, batch);
    }
    readTo = next - 1;
  }

  private long addPlain(EventBatch batch) {
    for (Event event : batch.events()) {
      add(event, null);
    }
    return batch.nextRevision();
  }

  /// @return where to go on: behind the revision that fills the window
  private long addWithPrevious(KvView view, EventBatch batch) throws CorruptionException {
    long revision = -1;
    long previousBytes = 0;
    int first = 0;
    for (Event event : batch.events()) {
      if (event.main() != revision) {
        if (bytes >= bytesMax) {
          return event.main();
        }
        revision = event.main();
        previousBytes = 0;
        first = events.size();
      }
      byte[] previous = revision != tooLarge && isAsked(event) ? view.previous(event) : null;
      previousBytes += previous == null ? 0 : previous.length;
      add(event, previous);
      if (previousBytes > previousBytesMax) {
        tooLarge = revision;
        events.subList(first, events.size()).replaceAll(known -> new WatchEvent(known.event(), null));
        bytes -= previousBytes;
        previousBytes = 0;
      }
    }
    return batch.nextRevision();
  }

  private void add(Event event, byte @Nullable [] previous) {
    WatchEvent added = new WatchEvent(event, previous);
    events.add(added);
    bytes += added.heldBytes();
  }

  private boolean isAsked(Event event) {
    byte[] key = event.key().array();
    for (Watcher watcher : askPrevious) {
      if (watcher.covers(key)) {
        return true;
      }
    }
    return false;
  }

  List<WatchEvent> events() {
    return events;
  }

  /// The last revision of the window.
  long readTo() {
    return readTo;
  }

  /// The revision of which the previous values were too much, so that they are missing; -1 for none.
  long tooLarge() {
    return tooLarge;
  }
}
