package dev.kvorum.sim.judge;

import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event;
import dev.kvorum.api.mvccpb.KeyValue;
import dev.kvorum.env.Bytes;
import dev.kvorum.sim.Finding;
import dev.kvorum.sim.client.Watching;
import dev.kvorum.sim.model.Change;
import dev.kvorum.sim.model.Kv;
import dev.kvorum.sim.model.Store;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// etcd's promises to watchers, under etcd's names (its `api_guarantees`, and what its robustness tests check), held
/// against the one history that explains everything else.
public final class WatchJudge {
  private final Store end;
  private final long compacted;
  private final List<List<Change>> history;
  private final Watching watching;

  private WatchJudge(Store end, long compacted, Watching watching) {
    this.end = end;
    this.compacted = compacted;
    this.history = end.history();
    this.watching = watching;
  }

  /// @param end the store after everything
  /// @param compacted the newest revision that may have been compacted at
  /// @throws Finding.Found when a promise was broken
  public static void judge(Store end, long compacted, Watching watching) {
    new WatchJudge(end, compacted, watching).judge();
  }

  private void judge() {
    for (Watching.Stream stream : watching.streams()) {
      judge(stream);
    }
  }

  /// A response whose parts are put together again.
  private record Whole(WatchResponse last, List<Event> events) {}

  /// What can be said without the history: events come in order, none of them twice, and none behind a bookmark.
  private void judgeOrder(Watching.Stream stream, List<Whole> responses) {
    long last = 0;
    long whole = 0;
    long bookmark = 0;
    for (Whole response : responses) {
      if (response.events().isEmpty() && !response.last().getCreated() && !response.last().getCanceled()) {
        bookmark = response.last().getHeader().getRevision();
      }
      for (Event event : response.events()) {
        long revision = event.getKv().getModRevision();
        promise(revision > bookmark, "bookmarkable", stream, "after progress to %d it is told of %s", bookmark, event);
        promise(revision >= last, "ordered", stream, "after revision %d it is told of %s", last, event);
        promise(revision > whole, "unique", stream, "once more it is told of %s", event);
        last = revision;
      }
      whole = last;
    }
  }

  private void judge(Watching.Stream stream) {
    List<Whole> responses = whole(stream);
    judgeOrder(stream, responses);
    long toldUpTo = stream.from() - 1;
    boolean created = false;
    for (Whole response : responses) {
      WatchResponse last = response.last();
      if (!created) {
        promise(last.getCreated() && !last.getCanceled(), "resumable", stream, "the first response is %s", last);
        created = true;
        if (stream.from() == 0) {
          toldUpTo = last.getHeader().getRevision();
        }
      } else if (last.getCompactRevision() != 0) {
        promise(
            toldUpTo + 1 < last.getCompactRevision(), "reliable", stream,
            "cancelled as compacted at %d when it had been told up to %d", last.getCompactRevision(), toldUpTo);
        promise(
            last.getCompactRevision() <= compacted, "reliable", stream,
            "cancelled as compacted at %d, but nobody compacted beyond %d", last.getCompactRevision(), compacted);
      } else if (last.getCanceled()) {
        promise(false, "reliable", stream, "cancelled for no reason that was told: %s", last);
      } else if (response.events().isEmpty()) {
        long progress = last.getHeader().getRevision();
        promise(
            progress <= end.revision(), "bookmarkable", stream, "told of revision %d, which never was", progress);
        promise(
            progress >= stream.from() - 1, "bookmarkable", stream, "told of progress to %d, where it has not begun", progress);
        requireNothingLeftOut(stream, toldUpTo, progress);
        toldUpTo = Math.max(toldUpTo, progress);
      } else {
        toldUpTo = judge(stream, response, toldUpTo);
      }
    }
  }

  private List<Whole> whole(Watching.Stream stream) {
    List<Whole> whole = new ArrayList<>();
    List<Event> parts = new ArrayList<>();
    for (WatchResponse response : stream.responses()) {
      promise(watching.fragment() || !response.getFragment(), "atomic", stream, "a part, though none were asked for");
      parts.addAll(response.getEventsList());
      if (!response.getFragment()) {
        whole.add(new Whole(response, List.copyOf(parts)));
        parts.clear();
      }
    }
    return whole;
  }

  private long judge(Watching.Stream stream, Whole response, long toldUpTo) {
    long previous = toldUpTo;
    int at = 0;
    List<Event> events = response.events();
    while (at < events.size()) {
      long revision = events.get(at).getKv().getModRevision();
      promise(
          revision > previous, "resumable", stream,
          "an event of revision %d where everything up to %d was told before", revision, previous);
      promise(revision <= end.revision(), "reliable", stream, "an event of revision %d, which never was", revision);
      requireNothingLeftOut(stream, previous, revision - 1);
      List<Change> changes = wanted(revision);
      for (Change change : changes) {
        boolean there = at < events.size() && events.get(at).getKv().getModRevision() == revision;
        promise(there, "atomic", stream, "of revision %d it is not told of %s", revision, change);
        requireSame(stream, events.get(at), change);
        at++;
      }
      boolean more = at < events.size() && events.get(at).getKv().getModRevision() == revision;
      promise(!more && !changes.isEmpty(), "filters", stream,
          "an event of revision %d that was not asked for, or twice", revision);
      previous = revision;
    }
    return previous;
  }

  private void requireNothingLeftOut(Watching.Stream stream, long after, long upTo) {
    for (long revision = Math.max(1, after) + 1; revision <= upTo; revision++) {
      List<Change> changes = wanted(revision);
      promise(changes.isEmpty(), "reliable", stream, "it was never told of %s", changes);
    }
  }

  private List<Change> wanted(long revision) {
    return history.get((int) revision).stream().filter(this::wants).toList();
  }

  private boolean wants(Change change) {
    if (change.isDelete() ? watching.noDelete() : watching.noPut()) {
      return false;
    }
    Bytes to = watching.end();
    if (to.isEmpty()) {
      return change.key().equals(watching.key());
    }
    boolean unbounded = to.size() == 1 && to.at(0) == 0;
    return change.key().compareTo(watching.key()) >= 0 && (unbounded || change.key().compareTo(to) < 0);
  }

  private void requireSame(Watching.Stream stream, Event event, Change change) {
    KeyValue kv = event.getKv();
    boolean same =
        change.key().equals(Bytes.wrap(kv.getKey().toByteArray()))
            && (event.getType() == Event.EventType.DELETE) == change.isDelete();
    promise(same, "reliable", stream, "told %s where it was %s", event, change);
    Kv after = change.after();
    if (after != null) {
      boolean creates = kv.getCreateRevision() == kv.getModRevision() && kv.getVersion() == 1;
      promise(creates == change.isCreate(), "is-create", stream, "told %s where it was %s", event, change);
      boolean all =
          Bytes.wrap(kv.getValue().toByteArray()).equals(after.value())
              && kv.getCreateRevision() == after.create()
              && kv.getVersion() == after.version()
              && kv.getLease() == after.lease();
      promise(all, "reliable", stream, "told %s where it was %s", event, change);
    }
    requirePrevious(stream, event, change);
  }

  /// What is compacted away may be left out; what is told must be right.
  private void requirePrevious(Watching.Stream stream, Event event, Change change) {
    Kv before = change.before();
    if (!event.hasPrevKv()) {
      boolean mayLack = !watching.prevKv() || before == null || change.revision() <= compacted;
      promise(mayLack, "prev-kv", stream, "told nothing of what was before %s: %s", change, before);
      return;
    }
    KeyValue told = event.getPrevKv();
    boolean right =
        watching.prevKv()
            && before != null
            && Bytes.wrap(told.getValue().toByteArray()).equals(before.value())
            && told.getModRevision() == before.mod()
            && told.getCreateRevision() == before.create()
            && told.getVersion() == before.version();
    promise(right, "prev-kv", stream, "told %s of what was before %s: %s", told, change, before);
  }

  /// @param told with what comes behind it filled in, once it is needed: it mostly is not
  private void promise(
      boolean kept, String name, Watching.Stream stream, String told, @Nullable Object... what) {
    if (!kept) {
      throw new Finding.Found(
          "watch is " + name,
          watching.name() + " of [" + watching.key().toUtf8() + ", " + watching.end().toUtf8() + ") at " + stream.member()
              + " from " + stream.from() + ": " + told.formatted(what));
    }
  }
}
