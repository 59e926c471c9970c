package dev.kvorum.wal;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.raft.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The `.snap` files of one member, and the databases received beside them. Owned by no loop: it keeps no state, but
/// its callers must not save, purge and load at once.
///
/// A `.snap` file holds what etcd 3.6 needs to start: the configuration, and membership as [V2MembershipJson]. It is
/// written before the log's mark ([Wal#saveSnapshot]), so that no mark lacks its file.
///
/// ```text
/// <term>-<index>.snap   protobuf { 1: crc32c(data)  2: data = raftpb.Snapshot }
/// <index>.snap.db       a whole database from the leader, until it is renamed onto `db`
/// tmp…, db.tmp…         half of something; removed at start
/// ```
public final class SnapStore {
  private static final String SNAP = ".snap";
  private static final String DATABASE = ".snap.db";
  private static final String BROKEN = ".broken";

  private final Disk disk;
  private final Path directory;
  private final AtomicLong receipts = new AtomicLong();

  /// @param directory a member's `snap`; must exist
  public SnapStore(Disk disk, Path directory) {
    this.disk = disk;
    this.directory = directory;
  }

  static String fileName(long term, long index) {
    return SegmentName.hex(term) + "-" + SegmentName.hex(index) + SNAP;
  }

  /// Writes `snapshot` as `<term>-<index>.snap`, durable on return. An empty snapshot is not written.
  public void save(Snapshot snapshot) throws IOException {
    if (snapshot.isEmpty()) {
      return;
    }
    byte[] data = RaftCodec.encode(snapshot);
    long crc = crc(data) & 0xFFFF_FFFFL;
    ProtoWriter out = ProtoWriter.measured(
        ProtoWriter.numberAlwaysSize(1, crc) + ProtoWriter.bytesAlwaysSize(2, data.length));
    out.numberAlways(1, crc);
    out.bytesAlways(2, data, 0, data.length);
    String name = fileName(snapshot.term(), snapshot.index());
    Path building = directory.resolve("tmp-" + name);
    try {
      disk.delete(building);
      try (DiskFile file = disk.open(building, Disk.OpenMode.CREATE_NEW)) {
        file.write(ByteBuffer.wrap(out.toByteArray()), 0);
        file.sync();
      }
      disk.rename(building, directory.resolve(name));
      disk.syncDirectory(directory);
    } catch (Throwable e) {
      disk.delete(building);
      throw e;
    }
  }

  private static int crc(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, data.length);
    return (int) crc.getValue();
  }

  /// The newest readable snapshot, or null. Unreadable files on the way are renamed to `<name>.broken`.
  public @Nullable Snapshot loadNewest() throws IOException {
    return loadNewest(any -> true);
  }

  /// The newest readable snapshot that the log (as [Wal#validSnapshots] told) knows of, or null.
  public @Nullable Snapshot loadNewest(List<WalSnapshot> marks) throws IOException {
    return loadNewest(snapshot -> marks.stream()
        .anyMatch(mark -> mark.index() == snapshot.index() && mark.term() == snapshot.term()));
  }

  private @Nullable Snapshot loadNewest(Predicate<Snapshot> wanted) throws IOException {
    for (String name : withSuffix(SNAP).reversed()) {
      Path path = directory.resolve(name);
      try {
        Snapshot snapshot = read(disk, path);
        if (wanted.test(snapshot)) {
          return snapshot;
        }
      } catch (CorruptionException unreadable) {
        disk.rename(path, directory.resolve(name + BROKEN));
      }
    }
    return null;
  }

  /// Reads one `.snap` file. @throws CorruptionException when it is not one
  public static Snapshot read(Disk disk, Path path) throws IOException {
    byte[] content = readAll(disk, path);
    int crc = 0;
    Bytes data = Bytes.EMPTY;
    try {
      ProtoReader in = new ProtoReader(content);
      for (int field = in.next(); field != 0; field = in.next()) {
        switch (field) {
          case 1 -> crc = in.enumNumber();
          case 2 -> data = Bytes.wrap(in.bytes());
          default -> in.skip();
        }
      }
      if (data.isEmpty() || crc == 0) {
        throw new CorruptionException(path, 0, "snap: empty snapshot");
      }
      if (crc(data.array()) != crc) {
        throw new CorruptionException(path, 0, "snap: crc mismatch");
      }
      return RaftCodec.decodeSnapshot(data.array());
    } catch (WireFormatException e) {
      throw new CorruptionException(path, 0, "snap: " + e.getMessage());
    }
  }

  private static byte[] readAll(Disk disk, Path path) throws IOException {
    try (DiskFile file = disk.open(path, Disk.OpenMode.READ)) {
      long size = file.size();
      if (size > Integer.MAX_VALUE - 64) {
        throw new CorruptionException(path, 0, "snap: " + size + " bytes");
      }
      byte[] content = new byte[(int) size];
      file.readFully(ByteBuffer.wrap(content), 0);
      return content;
    }
  }

  /// Where the database that belongs to a snapshot at `index` lies: `<index>.snap.db`.
  public Path databaseFile(long index) {
    return directory.resolve(SegmentName.hex(index) + DATABASE);
  }

  /// Begins to receive the database of a snapshot at `index`.
  public Receipt receiveDatabase(long index) throws IOException {
    // a name of its own: two senders may come with the same snapshot
    Path building = directory.resolve("tmp" + receipts.incrementAndGet() + "-" + SegmentName.hex(index) + DATABASE);
    disk.delete(building);
    return new Receipt(index, disk.open(building, Disk.OpenMode.CREATE_NEW));
  }

  /// A database on its way in. Closed before [#keep], it leaves nothing behind.
  public final class Receipt implements AutoCloseable {
    private final long index;
    private final DiskFile file;
    private long size;
    private boolean open = true;

    private Receipt(long index, DiskFile file) {
      this.index = index;
      this.file = file;
    }

    public void write(ByteBuffer bytes) throws IOException {
      int length = bytes.remaining();
      file.write(bytes, size);
      size += length;
    }

    public long size() {
      return size;
    }

    /// Makes the database durable under its name; one that is there already stays, and this one goes.
    public Path keep() throws IOException {
      Path target = databaseFile(index);
      file.sync();
      if (disk.exists(target)) {
        close();
        disk.syncDirectory(directory); // whoever put it there may have been killed before this
        return target;
      }
      open = false;
      file.close();
      disk.rename(file.path(), target);
      disk.syncDirectory(directory);
      return target;
    }

    @Override
    public void close() throws IOException {
      if (open) {
        open = false;
        file.close();
        disk.delete(file.path());
      }
    }
  }

  /// At start: removes what interrupted receives, saves and defragmentations left. @return the names removed
  public List<String> removeTemporaries() throws IOException {
    return remove(disk.list(directory).stream()
        .filter(name -> name.startsWith("tmp") || name.startsWith("db.tmp"))
        .toList());
  }

  /// Removes received databases of snapshots before `index`. @return the names removed
  public List<String> releaseDatabasesBefore(long index) throws IOException {
    return remove(withSuffix(DATABASE).stream().filter(name -> isDatabaseBefore(name, index)).toList());
  }

  private static boolean isDatabaseBefore(String name, long index) {
    try {
      long found = Long.parseUnsignedLong(name, 0, name.length() - DATABASE.length(), 16);
      return Long.compareUnsigned(found, index) < 0;
    } catch (NumberFormatException notOurs) {
      return false;
    }
  }

  /// Removes all but the newest `snapshotsMax` files of each kind (0: keeps all). @return the names removed
  public List<String> purge(int snapshotsMax) throws IOException {
    if (snapshotsMax == 0) {
      return List.of();
    }
    List<String> surplus = new ArrayList<>();
    for (String suffix : List.of(SNAP, DATABASE)) {
      List<String> names = withSuffix(suffix);
      surplus.addAll(names.subList(0, Math.max(0, names.size() - snapshotsMax)));
    }
    return remove(surplus);
  }

  /// Oldest first: names begin with term and index, or with index.
  private List<String> withSuffix(String suffix) throws IOException {
    return disk.list(directory).stream()
        .filter(name -> name.endsWith(suffix) && !name.startsWith("tmp"))
        .toList();
  }

  private List<String> remove(List<String> names) throws IOException {
    for (String name : names) {
      disk.delete(directory.resolve(name));
    }
    return names;
  }
}
