package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import org.jspecify.annotations.Nullable;

/// All the index knows of one user key: its newest revision, and behind it the older ones not yet compacted away.
///
/// Immutable; each change of a key makes a new entry. Most keys were put once: for them this class says it all, in 32
/// bytes beside the key. Others are [WithHistory].
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
class KeyEntry {
  final byte[] key;
  final long main;
  final int sub;

  KeyEntry(byte[] key, long main, int sub) {
    this.key = key;
    this.main = main;
    this.sub = sub;
  }

  /// A key seen for the first time while the index is rebuilt; its beginning may have been compacted away.
  static KeyEntry restored(byte[] key, long main, int sub, long created, long version, boolean tombstone) {
    if (tombstone) {
      return new WithHistory(key, main, sub, 0, -1, null, 0);
    }
    return of(key, main, sub, created, version, null, 0);
  }

  private static KeyEntry of(
      byte[] key, long main, int sub, long created, long version, @Nullable RevisionLog log, int olderCount) {
    return olderCount == 0 && version == 1 && created == main
        ? new KeyEntry(key, main, sub)
        : new WithHistory(key, main, sub, created, version, olderCount == 0 ? null : log, olderCount);
  }

  /// The main of the newest generation's first put; 0 when only its tombstone was ever seen.
  long created() {
    return main;
  }

  /// Changes in the newest generation; negative when the last of them is its tombstone.
  long version() {
    return 1;
  }

  @Nullable RevisionLog log() {
    return null;
  }

  /// The position of the newest revision, which is also how many older ones are known.
  int last() {
    return 0;
  }

  final boolean isLive() {
    return version() >= 0;
  }

  final KeyEntry put(long newMain, int newSub) {
    RevisionLog log = pushed(newMain, newSub);
    return isLive()
        ? new WithHistory(key, newMain, newSub, created(), version() + 1, log, last() + 1)
        : new WithHistory(key, newMain, newSub, newMain, 1, log, last() + 1);
  }

  final KeyEntry tombstone(long newMain, int newSub) {
    Invariant.check(isLive(), "a deleted key is deleted again");
    return new WithHistory(key, newMain, newSub, created(), -(version() + 1), pushed(newMain, newSub), last() + 1);
  }

  /// A tombstone found while rebuilding, which may follow another one if files were made by other hands.
  final KeyEntry restoredTombstone(long newMain, int newSub) {
    return isLive()
        ? tombstone(newMain, newSub)
        : new WithHistory(key, newMain, newSub, 0, -1, pushed(newMain, newSub), last() + 1);
  }

  private RevisionLog pushed(long newMain, int newSub) {
    Invariant.check(
        Revision.compare(newMain, newSub, main, sub) > 0,
        () -> "revision " + newMain + "." + newSub + " is not above " + main + "." + sub);
    RevisionLog log = log();
    if (log == null) {
      log = new RevisionLog(created(), Math.abs(version()), 0);
    }
    return log.append(last(), main, sub, !isLive());
  }

  /// The position of the newest revision whose main is at most `rev`, tombstones included; -1 when there is none.
  final int lastAtOrBelow(long rev) {
    if (main <= rev) {
      return last();
    }
    RevisionLog log = log();
    return log == null ? -1 : log.lastAtOrBelow(rev, last());
  }

  /// The position of the revision in force at `rev`; -1 when the key is absent then.
  final int liveAt(long rev) {
    int position = lastAtOrBelow(rev);
    return position < 0 || isTombstone(position) ? -1 : position;
  }

  final long mainAt(int position) {
    return position == last() ? main : older().main(position);
  }

  final int subAt(int position) {
    return position == last() ? sub : older().sub(position);
  }

  final boolean isTombstone(int position) {
    return position == last() ? !isLive() : older().isTombstone(position);
  }

  final long createdAt(int position) {
    if (isInNewestGeneration(position)) {
      return created();
    }
    int start = older().generationStart(position);
    return start == 0 ? older().baseCreated : older().main(start);
  }

  /// Never negative, unlike [#version].
  final long versionAt(int position) {
    if (isInNewestGeneration(position)) {
      return Math.abs(version()) - (last() - position);
    }
    int start = older().generationStart(position);
    return start == 0 ? older().baseVersion + position : position - start + 1;
  }

  private boolean isInNewestGeneration(int position) {
    return last() - position < Math.max(1, Math.abs(version()));
  }

  private RevisionLog older() {
    RevisionLog log = log();
    if (log == null) {
      throw Invariant.unreachable("position outside the key's history");
    }
    return log;
  }

  /// What is left after compaction at `rev`: this entry when nothing goes, null when nothing stays.
  final @Nullable KeyEntry compacted(long rev) {
    int first = lastAtOrBelow(rev);
    if (first >= 0 && isTombstone(first) && mainAt(first) < rev) {
      first++;
    }
    if (first <= 0) {
      return this;
    }
    int last = last();
    if (first > last) {
      return null;
    }
    RevisionLog log =
        first == last ? null : older().slice(first, last, createdAt(first), versionAt(first));
    return of(key, main, sub, created(), version(), log, last - first);
  }

  /// True when compaction at `rev` leaves this revision in the file: it is the newest at or below `rev`, and no
  /// tombstone below `rev`.
  ///
  /// @param withTombstone whether a tombstone at exactly `rev` counts: it does for compaction, not for HashKV
  final boolean isKept(long keptMain, int keptSub, long rev, boolean withTombstone) {
    int position = lastAtOrBelow(rev);
    return position >= 0
        && mainAt(position) == keptMain
        && subAt(position) == keptSub
        && (!isTombstone(position) || (withTombstone && keptMain == rev));
  }

  long heapBytes() {
    return 32 + 16 + ((key.length + 7L) & ~7L);
  }

  /// A key that was put again, deleted, or has lost its beginning.
  static final class WithHistory extends KeyEntry {
    private final long created;
    private final long version;
    private final @Nullable RevisionLog log;
    private final int olderCount;

    WithHistory(
        byte[] key, long main, int sub, long created, long version, @Nullable RevisionLog log, int olderCount) {
      super(key, main, sub);
      this.created = created;
      this.version = version;
      this.log = log;
      this.olderCount = olderCount;
    }

    @Override
    long created() {
      return created;
    }

    @Override
    long version() {
      return version;
    }

    @Override
    @Nullable RevisionLog log() {
      return log;
    }

    @Override
    int last() {
      return olderCount;
    }

    @Override
    long heapBytes() {
      return super.heapBytes() + 24 + (log == null ? 0 : log.heapBytes());
    }
  }
}
