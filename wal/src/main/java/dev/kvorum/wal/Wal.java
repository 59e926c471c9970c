package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The log on disk. Owned by the log loop, except where a method says otherwise.
public final class Wal implements AutoCloseable {
  /// What a log held when it was opened.
  ///
  /// @param wal ready to append behind it
  /// @param hardState the last one written; EMPTY when none was
  /// @param entries those after the start, consecutive; later records have replaced earlier ones
  /// @param brokenCopy where a torn last segment was copied before its tail was cut off; null when nothing was torn
  public record Opened(
      Wal wal, WalMetadata metadata, HardState hardState, List<Entry> entries, @Nullable Path brokenCopy) {}

  /// What a log holds, read without touching it.
  public record Contents(WalMetadata metadata, HardState hardState, List<Entry> entries) {}

  private Wal() {}

  /// Whether `directory` holds a log.
  public static boolean exists(Disk disk, Path directory) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// A new log in `directory`, which must not exist; all of it appears at once, durably, or not at all.
  public static Wal create(Disk disk, Path directory, WalMetadata metadata, WalOptions options) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Opens the log at `start` (of [#validSnapshots], or [WalSnapshot#EMPTY]), repairing once a torn tail.
  ///
  /// @throws dev.kvorum.env.CorruptionException when anything but the tail of the last segment is damaged
  /// @throws WalException when the log does not fit `start`, or another process holds it
  public static Opened open(Disk disk, Path directory, WalSnapshot start, WalOptions options) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// As [#open], for tools: takes no locks, changes nothing, and ends quietly before a torn tail.
  public static Contents read(Disk disk, Path directory, WalSnapshot start) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// The recorded snapshots that the log knew to be committed, in file order: start from the last one.
  /// Empty only when the directory holds no log worth the name; a whole log has at least [WalSnapshot#EMPTY].
  public static List<WalSnapshot> validSnapshots(Disk disk, Path directory) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Removes the oldest segments while more than `walsMax` (0: keeps all) exist and nobody holds them. For any thread.
  ///
  /// @return the names removed
  public static List<String> purge(Disk disk, Path directory, int walsMax) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Takes `entries`, then `hardState` (EMPTY: unchanged), into the buffer. Nothing is durable before [#sync].
  ///
  /// @throws IOException only when the buffer had to be written out and that failed
  public void append(HardState hardState, List<Entry> entries) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Whether what was appended must be synced before anyone is told: entries, or a new term or vote. A new commit index
  /// alone need not be.
  public boolean needsSync() {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Makes everything appended durable, with one write and one fdatasync, if [#needsSync]; then starts a new segment if
  /// this one is full. A failure is final.
  public void sync() throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Records a snapshot, durable on return, with all that was appended before.
  ///
  /// @throws dev.kvorum.env.InvariantViolation when the index is above 0 and there are no voters
  public void saveSnapshot(WalSnapshot snapshot) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Lets [#purge] have the segments that a start from a snapshot at `index` does not need.
  public void releaseTo(long index) throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Whether the spare segment has been used up and [#prepareNext] has work to do. For any thread.
  public boolean wantsNext() {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Makes the next segment's file ahead of its use: 64 MB of zeros, written and synced, so that later syncs need no
  /// file system journal. For a worker thread; calls beyond the first in flight do nothing.
  public void prepareNext() throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// A step of zero-writing the current segment ahead of its tail, or null when enough is written. Asked for on the log
  /// loop, run once on any worker, at most one at a time; dropping it unrun is fine.
  public @Nullable Runnable writeAhead(int bytesMax) {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Bytes of frames written since opening.
  public long writtenBytes() {
    throw new UnsupportedOperationException("Wal is being written");
  }

  /// Syncs what was appended, and lets go of all files. After a failure it only lets go.
  @Override
  public void close() throws IOException {
    throw new UnsupportedOperationException("Wal is being written");
  }
}
