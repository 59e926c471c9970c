package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.raft.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The `.snap` files of one member, and the names of the databases received beside them.
public final class SnapStore {
  private final Disk disk;
  private final Path directory;

  public SnapStore(Disk disk, Path directory) {
    this.disk = disk;
    this.directory = directory;
  }

  /// Writes `snapshot` durably as `<term>-<index>.snap`. Nothing is written for an empty snapshot.
  public void save(Snapshot snapshot) throws IOException {
    throw new UnsupportedOperationException("SnapStore is being written");
  }

  /// The newest readable snapshot, or null. Unreadable files on the way are renamed to `<name>.broken`.
  public @Nullable Snapshot loadNewest() throws IOException {
    throw new UnsupportedOperationException("SnapStore is being written");
  }

  /// The newest readable snapshot that `marks` (of [Wal#validSnapshots]) knows, or null.
  public @Nullable Snapshot loadNewest(List<WalSnapshot> marks) throws IOException {
    throw new UnsupportedOperationException("SnapStore is being written");
  }

  /// Where the database that belongs to a snapshot at `index` lies: `<index>.snap.db`.
  public Path databaseFile(long index) {
    return directory.resolve(String.format("%016x.snap.db", index));
  }

  /// At start: removes temporary files of interrupted receives. @return the names removed
  public List<String> removeTemporaries() throws IOException {
    throw new UnsupportedOperationException("SnapStore is being written");
  }

  /// Removes received databases older than `index`. @return the names removed
  public List<String> releaseDatabasesBefore(long index) throws IOException {
    throw new UnsupportedOperationException("SnapStore is being written");
  }

  /// Removes all but the newest `snapshotsMax` files of each kind (0: keeps all). @return the names removed
  public List<String> purge(int snapshotsMax) throws IOException {
    throw new UnsupportedOperationException("SnapStore is being written");
  }
}
