package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.util.ArrayDeque;
import java.util.Arrays;

/// Pages that a committed state no longer has but older ones, which someone may be reading, do.
///
/// A page that transaction A allocated and F freed is seen by exactly the states from A to F-1. So it may be used
/// again when the newest state below F that is still being read is older than A, or there is none. A is remembered
/// only for pages allocated while an older state was being read: for others no such state can come to be.
///
/// Source: bbolt `internal/freelist/shared.go`, whose rule is the same by another reckoning.
final class PendingPages {
  /// What one transaction freed.
  private static final class Freed {
    final long txid;
    final PageRuns runs;

    /// Allocating transactions, 0 where unknown; empty where all are.
    final long[] allocatedBy;

    /// The newest state below `txid` in use when last looked at. Unless it changed, nothing else has.
    long blocker = -1;

    Freed(long txid, PageRuns runs, long[] allocatedBy) {
      this.txid = txid;
      this.runs = runs;
      this.allocatedBy = allocatedBy;
    }
  }

  private final PageSet all = new PageSet();
  private final ArrayDeque<Freed> freed = new ArrayDeque<>();
  private final PageTags allocatedBy = new PageTags();

  long size() {
    return all.size();
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
      freed.addLast(new Freed(txid, freedRuns, allocators(freedRuns)));
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
    int sets = freed.size();
    for (int i = 0; i < sets; i++) {
      Freed set = freed.removeFirst();
      int below = -1 - Arrays.binarySearch(read, set.txid);
      if (below < 0) {
        below = -1 - below;
      }
      Freed rest = below == 0 ? releaseAll(set, free) : releaseHidden(set, read[below - 1], free);
      if (rest.runs.count() > 0) {
        freed.addLast(rest);
      }
    }
  }

  private Freed releaseAll(Freed set, FreePages free) {
    for (int i = 0; i < set.runs.count(); i++) {
      release(set.runs, i, free);
    }
    return new Freed(set.txid, new PageRuns(), set.allocatedBy);
  }

  private Freed releaseHidden(Freed set, long blocker, FreePages free) {
    if (blocker == set.blocker || set.allocatedBy.length == 0) {
      return set;
    }
    PageRuns kept = new PageRuns();
    long[] by = new long[set.allocatedBy.length];
    for (int i = 0; i < set.runs.count(); i++) {
      if (set.allocatedBy[i] > blocker) {
        release(set.runs, i, free);
      } else {
        by[kept.count()] = set.allocatedBy[i];
        kept.add(set.runs.id(i), set.runs.span(i));
      }
    }
    Freed rest = new Freed(set.txid, kept, by);
    rest.blocker = blocker;
    return rest;
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
