package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Pages that a committed state no longer has but older ones, which someone may be reading, do.
///
/// A page that transaction A allocated and F freed is seen by exactly the states from A to F-1. So it may be used
/// again when the newest state below F that is still being read, its *blocker*, is older than A, or there is none. A
/// is remembered only for pages allocated while an older state was being read: for others no such state can come to
/// be. So a reader pins what its own state has, and nothing that came and went after it; bbolt's rule says the same by
/// another reckoning, older ones pinned all that was freed since.
///
/// Pages wait in one group per blocker. Readers of older states do not come back, so nothing changes for a group until
/// its blocker is gone; then it is looked at once, and goes on to the next older state being read. A release therefore
/// costs what it frees or moves, however much is pinned and however many commits ago.
///
/// Source: bbolt `internal/freelist/shared.go`.
final class PendingPages {
  /// What one transaction freed, until the next release finds its blocker.
  ///
  /// @param allocatedBy allocating transactions, 0 where unknown; empty where all are
  private record Freed(long txid, PageRuns runs, long[] allocatedBy) {}

  /// What one blocker keeps from being used.
  private static final class Group {
    final PageRuns runs = new PageRuns();
    private long[] allocatedBy = new long[64];

    void add(long id, int span, long allocated) {
      if (runs.count() == allocatedBy.length) {
        allocatedBy = Arrays.copyOf(allocatedBy, allocatedBy.length * 2);
      }
      allocatedBy[runs.count()] = allocated;
      runs.add(id, span);
    }
  }

  private final PageSet all = new PageSet();
  private final List<Freed> fresh = new ArrayList<>();
  private final TreeMap<Long, Group> groups = new TreeMap<>();
  private final PageTags allocatedBy = new PageTags();
  private long runsVisited;

  long size() {
    return all.size();
  }

  /// Runs of pages looked at by all releases so far: the work they took.
  long runsVisited() {
    return runsVisited;
  }

  /// Notes pages about to become pending. @return the first that is already, or -1
  long admit(PageRuns runs) {
    for (int i = 0; i < runs.count(); i++) {
      for (long id = runs.id(i); id < runs.id(i) + runs.span(i); id++) {
        if (!all.add(id)) {
          return id;
        }
      }
    }
    return -1;
  }

  /// Takes in what transaction `txid` freed and allocated.
  ///
  /// @param freedRuns admitted before
  /// @param olderStatesAreRead whether any state before `txid` is in use
  void committed(long txid, PageRuns freedRuns, PageRuns allocatedRuns, boolean olderStatesAreRead) {
    if (freedRuns.count() > 0) {
      fresh.add(new Freed(txid, freedRuns, allocators(freedRuns)));
    }
    if (!olderStatesAreRead) {
      allocatedBy.clear();
      return;
    }
    for (int i = 0; i < allocatedRuns.count(); i++) {
      allocatedBy.set(allocatedRuns.id(i), txid);
    }
  }

  private long[] allocators(PageRuns runs) {
    if (allocatedBy.isEmpty()) {
      return new long[0];
    }
    long[] by = new long[runs.count()];
    for (int i = 0; i < by.length; i++) {
      by[i] = allocatedBy.remove(runs.id(i));
    }
    return by;
  }

  /// Moves to `free` what no state in use has.
  ///
  /// @param read ids of the states in use, ascending, the newest of all included
  void release(long[] read, FreePages free) {
    for (Freed freed : fresh) {
      pass(freed.runs, freed.allocatedBy, newestBelow(read, freed.txid), free);
    }
    fresh.clear();
    // from the newest blocker down: a group met later takes in what an earlier one passes on
    for (Map.Entry<Long, Group> at = groups.lastEntry(); at != null; at = groups.lowerEntry(at.getKey())) {
      long blocker = at.getKey();
      if (Arrays.binarySearch(read, blocker) < 0) {
        groups.remove(blocker);
        pass(at.getValue().runs, at.getValue().allocatedBy, newestBelow(read, blocker), free);
      }
    }
  }

  /// The newest state in use below `txid`, or -1.
  private static long newestBelow(long[] read, long txid) {
    int i = Arrays.binarySearch(read, txid);
    int below = (i < 0 ? -1 - i : i) - 1;
    return below < 0 ? -1 : read[below];
  }

  /// Frees what `blocker` does not have and has it wait for the rest.
  private void pass(PageRuns runs, long[] allocated, long blocker, FreePages free) {
    runsVisited += runs.count();
    Group group = null;
    for (int i = 0; i < runs.count(); i++) {
      long by = allocated.length == 0 ? 0 : allocated[i];
      if (blocker < by || blocker < 0) {
        release(runs, i, free);
        continue;
      }
      if (group == null) {
        group = groups.computeIfAbsent(blocker, b -> new Group());
      }
      group.add(runs.id(i), runs.span(i), by);
    }
  }

  private void release(PageRuns runs, int i, FreePages free) {
    for (long id = runs.id(i); id < runs.id(i) + runs.span(i); id++) {
      boolean added = free.add(id);
      Invariant.check(added, "a pending page was free");
      all.remove(id);
    }
  }

  /// Adds all pending pages to `target`.
  void addTo(PageSet target) {
    for (long id = all.next(0); id >= 0; id = all.next(id + 1)) {
      boolean added = target.add(id);
      Invariant.check(added, "a pending page is in use");
    }
  }
}
