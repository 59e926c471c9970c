package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A log looked at from outside: what it holds, and which of its segments can go. Takes no part in writing it, so all
/// of this may happen beside a running member, on any thread.
public final class WalReading {
  private WalReading() {}

  /// What a log holds, read without touching it.
  ///
  /// @param entries those after the start, consecutive
  /// @param tornTail whether the last segment ends in a record that was never whole; opening for writing repairs that
  public record Contents(WalMetadata metadata, HardState hardState, List<Entry> entries, boolean tornTail) {}

  /// Reads what follows `start`. Takes no locks, and ends quietly before a torn tail.
  ///
  /// @throws dev.kvorum.env.CorruptionException when anything else is damaged
  /// @throws WalException when the log does not fit `start`
  public static Contents read(Disk disk, Path directory, WalSnapshot start) throws IOException {
    List<SegmentName> all = SegmentName.list(disk, directory);
    return SegmentName.read(all, start.index(), segments -> read(disk, directory, start, segments));
  }

  private static Contents read(Disk disk, Path directory, WalSnapshot start, List<SegmentName> segments)
      throws IOException {
    List<DiskFile> files = openAll(disk, directory, segments);
    try {
      Replay replay = Replay.entriesAfter(start, files);
      boolean torn = replay.run() == RecordReader.Outcome.TORN;
      replay.requireStart();
      return new Contents(replay.metadata(), replay.hardState(), List.copyOf(replay.entries()), torn);
    } finally {
      WalOpening.closeAll(files);
    }
  }

  /// Reads all that follows `start` and believes none of it unchecked. @return the last hard state
  ///
  /// @throws IOException as [#read]
  public static HardState verify(Disk disk, Path directory, WalSnapshot start) throws IOException {
    return read(disk, directory, start).hardState();
  }

  /// The recorded snapshots that the log knew to be committed, in file order: start from the last one. A member that
  /// crashed between recording a snapshot and learning of its commit ignores it.
  ///
  /// [WalSnapshot#EMPTY] is the first of them until the segment that says so is purged.
  public static List<WalSnapshot> validSnapshots(Disk disk, Path directory) throws IOException {
    List<DiskFile> files = openAll(disk, directory, SegmentName.list(disk, directory));
    if (files.isEmpty()) {
      return List.of();
    }
    try {
      Replay replay = Replay.snapshotsOf(files);
      replay.run();
      return replay.committedSnapshots();
    } finally {
      WalOpening.closeAll(files);
    }
  }

  private static List<DiskFile> openAll(Disk disk, Path directory, List<SegmentName> names) throws IOException {
    List<DiskFile> files = new ArrayList<>();
    try {
      for (SegmentName name : names) {
        files.add(disk.open(directory.resolve(name.file()), Disk.OpenMode.READ));
      }
      return files;
    } catch (Throwable e) {
      WalOpening.closeAll(files);
      throw e;
    }
  }

  /// Removes the oldest segments while more than `walsMax` (0: keeps all) exist, up to the first that somebody holds.
  ///
  /// @return the names removed
  public static List<String> purge(Disk disk, Path directory, int walsMax) throws IOException {
    List<String> removed = new ArrayList<>();
    List<SegmentName> names = SegmentName.list(disk, directory);
    int surplus = walsMax == 0 ? 0 : names.size() - walsMax;
    for (int i = 0; i < surplus; i++) {
      Path path = directory.resolve(names.get(i).file());
      try (DiskFile file = disk.open(path, Disk.OpenMode.WRITE)) {
        if (!file.tryRecordLock()) {
          break;
        }
        disk.delete(path);
        removed.add(names.get(i).file());
      } catch (NoSuchFileException goneAlready) {
        continue;
      }
    }
    return removed;
  }
}
