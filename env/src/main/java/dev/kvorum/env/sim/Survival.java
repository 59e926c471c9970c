package dev.kvorum.env.sim;

/// What of the unsynced a power failure leaves. What was synced survives always.
///
/// Assumed of disk and file system (POSIX, and ext4 in ordered mode where POSIX says nothing):
///  - A sector of 512 bytes, aligned, is written wholly or not at all; only [#RANDOM_TORN] doubts that.
///  - Unsynced writes reach the disk in any order, sector by sector. A sector written several times since its last sync
///    holds any of those versions or the synced one.
///  - Changes of one file's length reach the disk in their order, independently of its data: a longer file may hold
///    zeros where data was written, and data written behind the surviving end is gone. What a surviving truncation cut
///    off does not come back.
///  - Changes of one directory reach the disk in their order, independently of what the files hold; a rename between
///    two directories happens in both or in neither.
///  - Syncing a file says nothing about its name, and syncing a directory nothing about its files' data.
public enum Survival {
  /// Nothing that was not synced.
  NOTHING,
  /// Everything, as when a process is killed and the machine lives on.
  EVERYTHING,
  /// All names and lengths, but of the writes only the last.
  ONLY_THE_LAST_WRITE,
  /// Everything except the first of the unsynced writes.
  ALL_BUT_THE_FIRST_WRITE,
  /// All names and lengths, no data: the files read as before, or as zeros.
  NO_DATA,
  /// Drawn: whole writes or sectors, evenly or nearly all or none, in order or not.
  RANDOM,
  /// As `RANDOM`, and some sectors torn inside.
  RANDOM_TORN
}
