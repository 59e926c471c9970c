package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import org.jspecify.annotations.Nullable;

/// All the index knows of one user key: its newest revision, and behind it the older ones not yet compacted away.
///
/// Immutable; each change of a key makes a new entry. It is what one is told of a key and how one is changed: the index
/// keeps the numbers packed ([Leaf]) and makes an entry when asked.
///
/// **Positions.** The revisions known are numbered from 0 (oldest) to [#last] (newest).
///
/// **Generations.** A key's life from creation to tombstone is a generation. `created` and `version` belong to it: the
/// main of its first put, and how many changes it has had. Put 2, put 3, delete 4, put 6 is, by position:
/// ```
///  position  revision  created  version
///  0         2.0       2        1
///  1         3.0       2        2
///  2         4.0 t     2        3          tombstone: ends the generation
///  3         6.0       6        1          newest
/// ```
/// Compacted at 3, positions begin at 3.0, still created 2, version 2. Compacted at 4, the tombstone alone remains
/// before 6.0 (etcd keeps a tombstone at the compacted revision itself, so that a watch from there sees it); compacted
/// at 5, only 6.0 remains.
///
/// Source: backend-schema §3.1, §3.2; etcd `mvcc/key_index.go`.
///
/// @param created the main of the newest generation's first put; 0 when only its tombstone was ever seen
/// @param version changes in the newest generation, at least 1; negative when the last of them is its tombstone
/// @param log the older revisions, in its first `last` slots; null when there are none
/// @param last the position of the newest revision, which is also how many older ones are known
record KeyEntry(long main, int sub, long created, long version, @Nullable RevisionLog log, int last) {

  /// A key put for the first time.
  static KeyEntry created(long main, int sub) {
    return new KeyEntry(main, sub, main, 1, null, 0);
  }

  /// A key seen for the first time while the index is rebuilt; its beginning may have been compacted away.
  static KeyEntry restored(long main, int sub, long created, long version, boolean tombstone) {
    return tombstone
        ? new KeyEntry(main, sub, 0, -1, null, 0)
        : new KeyEntry(main, sub, created, version, null, 0);
  }

  boolean isLive() {
    return version >= 0;
  }

  KeyEntry put(long newMain, int newSub) {
    RevisionLog older = pushed(newMain, newSub);
    return isLive()
        ? new KeyEntry(newMain, newSub, created, version + 1, older, last + 1)
        : new KeyEntry(newMain, newSub, newMain, 1, older, last + 1);
  }

  KeyEntry tombstone(long newMain, int newSub) {
    Invariant.check(isLive(), "a deleted key is deleted again");
    return new KeyEntry(newMain, newSub, created, -(version + 1), pushed(newMain, newSub), last + 1);
  }

  /// A tombstone found while rebuilding, which may follow another one if files were made by other hands.
  KeyEntry restoredTombstone(long newMain, int newSub) {
    return isLive()
        ? tombstone(newMain, newSub)
        : new KeyEntry(newMain, newSub, 0, -1, pushed(newMain, newSub), last + 1);
  }

  /// This entry with the revisions of `later` behind its own: what was read of one key in two stretches of history.
  KeyEntry followedBy(KeyEntry later) {
    KeyEntry joined = this;
    for (int position = 0; position <= later.last; position++) {
      long nextMain = later.mainAt(position);
      int nextSub = later.subAt(position);
      joined =
          later.isTombstone(position) ? joined.restoredTombstone(nextMain, nextSub) : joined.put(nextMain, nextSub);
    }
    return joined;
  }

  private RevisionLog pushed(long newMain, int newSub) {
    Invariant.check(
        Revision.compare(newMain, newSub, main, sub) > 0,
        () -> "revision " + newMain + "." + newSub + " is not above " + main + "." + sub);
    RevisionLog older = log == null ? new RevisionLog(created, Math.abs(version), 1) : log;
    return older.append(last, main, sub, !isLive());
  }

  /// The position of the newest revision whose main is at most `rev`, tombstones included; -1 when there is none.
  int lastAtOrBelow(long rev) {
    if (main <= rev) {
      return last;
    }
    return log == null ? -1 : log.lastAtOrBelow(rev, last);
  }

  /// The position of the revision in force at `rev`; -1 when the key is absent then.
  int liveAt(long rev) {
    int position = lastAtOrBelow(rev);
    return position < 0 || isTombstone(position) ? -1 : position;
  }

  long mainAt(int position) {
    return position == last ? main : older().main(position);
  }

  int subAt(int position) {
    return position == last ? sub : older().sub(position);
  }

  boolean isTombstone(int position) {
    return position == last ? !isLive() : older().isTombstone(position);
  }

  long createdAt(int position) {
    if (isInNewestGeneration(position)) {
      return created;
    }
    int start = older().generationStart(position);
    return start == 0 ? older().baseCreated : older().main(start);
  }

  /// Never negative, unlike [#version].
  long versionAt(int position) {
    if (isInNewestGeneration(position)) {
      return Math.abs(version) - (last - position);
    }
    int start = older().generationStart(position);
    return start == 0 ? older().baseVersion + position : position - start + 1;
  }

  private boolean isInNewestGeneration(int position) {
    return last - position < Math.max(1, Math.abs(version));
  }

  private RevisionLog older() {
    if (log == null) {
      throw Invariant.unreachable("position outside the key's history");
    }
    return log;
  }

  /// The first position that compaction at `rev` keeps; one behind the last when nothing stays.
  int firstKept(long rev) {
    int first = lastAtOrBelow(rev);
    return first >= 0 && isTombstone(first) && mainAt(first) < rev ? first + 1 : Math.max(first, 0);
  }

  /// What is left after compaction at `rev`: this entry when nothing goes, null when nothing stays.
  @Nullable KeyEntry compacted(long rev) {
    int first = firstKept(rev);
    if (first == 0) {
      return this;
    }
    if (first > last) {
      return null;
    }
    RevisionLog left = first == last ? null : older().slice(first, last, createdAt(first), versionAt(first));
    return new KeyEntry(main, sub, created, version, left, last - first);
  }

  /// True when compaction at `rev` leaves this revision in the file: it is the newest at or below `rev`, and no
  /// tombstone below `rev`.
  ///
  /// @param withTombstone whether a tombstone at exactly `rev` counts: it does for compaction, not for HashKV
  boolean isKept(long keptMain, int keptSub, long rev, boolean withTombstone) {
    int position = lastAtOrBelow(rev);
    return position >= 0
        && mainAt(position) == keptMain
        && subAt(position) == keptSub
        && (!isTombstone(position) || (withTombstone && keptMain == rev));
  }
}
