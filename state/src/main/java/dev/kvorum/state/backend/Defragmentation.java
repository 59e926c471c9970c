package dev.kvorum.state.backend;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.Failpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Copies the backend's file into a fresh one, without its free pages, while the file goes on being read and written;
/// then takes its place.
///
/// It rests on the `key` bucket being append-only while nothing is compacted (which the [Backend] sees to). Each step
/// reads the file as it is by then and copies the revisions behind those already copied; commits of the apply loop's
/// batches go on in between, into the old file. The step that reaches the last revision holds the backend loop a little
/// longer: it copies the small buckets whole, and swaps the files before anything else can be written. So nothing is
/// ever written twice, nothing waits in memory, and no old state is kept alive.
///
/// Owned by the backend loop. Source for the copy's file name and page fill: bolt-format §9.
public final class Defragmentation implements AutoCloseable {
  /// The copy is committed, and so synced, as often: a log on the same disk that syncs meanwhile has to wait for no more
  /// than this.
  private static final long COMMIT_BYTES = 1L << 20;

  private final Backend backend;
  private final Disk disk;
  private final Path file;
  private final Path copy;
  private final Bolt target;
  private final byte[] last = new byte[RevisionKey.TOMBSTONE_SIZE];
  private int lastLength;
  private @Nullable WriteTx open;
  private long uncommittedBytes;
  private long copied;
  private boolean ended;
  private boolean swapped;

  Defragmentation(Backend backend, Disk disk, Path file, BoltOptions options) throws IOException {
    this.backend = backend;
    this.disk = disk;
    this.file = file;
    this.copy = unusedName(disk, file);
    backend.failpoints().reachDisk(Failpoint.DEFRAG_OPEN_FILE_ERROR);
    this.target = Bolt.open(disk, copy, options);
    try (WriteTx tx = target.beginWrite()) {
      for (BucketName name : BucketName.values()) {
        tx.createBucket(name.bytes());
      }
      tx.commit();
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private static Path unusedName(Disk disk, Path file) {
    Path directory = Backend.directoryOf(file);
    for (int i = 0; ; i++) {
      Path name = directory.resolve(Backend.TEMPORARY_PREFIX + i);
      if (!disk.exists(name)) {
        return name;
      }
    }
  }

  /// Copies some more.
  ///
  /// @param keysMax revisions to copy before returning to other work
  /// @param bytesMax bytes to copy before returning to other work
  /// @return null when there is more to do; else what the apply loop is to install, and it is all done
  /// @throws IOException when it failed and was abandoned. Unless [#hasSwapped], the backend goes on with its old file
  ///     as if nothing had been; if it has, the failure is final
  public @Nullable BackendCommit step(int keysMax, long bytesMax) throws IOException {
    try {
      backend.failpoints().reachDisk(Failpoint.DEFRAG_BEFORE_COPY);
      backend.failpoints().reachDisk(Failpoint.DEFRAG_DB_FAIL);
      if (!copySome(keysMax, bytesMax)) {
        return null;
      }
      backend.failpoints().reachDisk(Failpoint.DEFRAG_BEFORE_RENAME);
      disk.rename(copy, file);
    } catch (IOException e) {
      close();
      throw e;
    }
    swapped = true;
    ended = true;
    backend.endDefragmentation();
    backend.swap(new BoltFile(target));
    disk.syncDirectory(Backend.directoryOf(file));
    return backend.commitOf(null);
  }

  private boolean copySome(int keysMax, long bytesMax) throws IOException {
    WriteTx tx = open == null ? target.beginWrite() : open;
    open = tx;
    boolean reachedEnd;
    try (ReadTx source = backend.bolt().bolt().beginRead()) {
      reachedEnd = copyKeys(source, tx, keysMax, bytesMax);
      if (reachedEnd) {
        copySmallBuckets(source, tx);
      }
    }
    if (reachedEnd || uncommittedBytes >= COMMIT_BYTES) {
      tx.commit();
      open = null;
      uncommittedBytes = 0;
    }
    return reachedEnd;
  }

  private boolean copyKeys(ReadTx source, WriteTx tx, int keysMax, long bytesMax) throws CorruptionException {
    Bucket from = source.bucket(BucketName.KEY.bytes());
    if (from == null) {
      return true;
    }
    Bucket to = BatchWriter.bucket(tx, BucketName.KEY);
    to.fillPercent(BatchWriter.ASCENDING_FILL);
    Cursor cursor = from.cursor();
    long bytes = 0;
    int count = 0;
    boolean more = seekBehindLast(cursor);
    while (more && count < keysMax && bytes < bytesMax) {
      byte[] key = cursor.key();
      byte[] value = cursor.value();
      to.put(key, value);
      lastLength = remember(key);
      bytes += key.length + value.length;
      count++;
      more = cursor.next();
    }
    copied += count;
    uncommittedBytes += bytes;
    return !more;
  }

  private int remember(byte[] key) throws CorruptionException {
    if (!RevisionKey.isValid(key, key.length)) {
      throw new CorruptionException(file, 0, "the key bucket has a key that is no revision");
    }
    System.arraycopy(key, 0, last, 0, key.length);
    return key.length;
  }

  private boolean seekBehindLast(Cursor cursor) throws CorruptionException {
    if (lastLength == 0) {
      return cursor.first();
    }
    byte[] after = RevisionKey.encode(RevisionKey.main(last), RevisionKey.sub(last) + 1);
    return cursor.seek(after);
  }

  /// All but `key`, and those no schema of ours knows too.
  private void copySmallBuckets(ReadTx source, WriteTx tx) throws CorruptionException {
    Cursor names = source.cursor();
    for (boolean more = names.first(); more; more = names.next()) {
      byte[] name = names.key();
      Bucket from = source.bucket(name);
      if (from == null || Arrays.equals(name, BucketName.KEY.bytes())) {
        continue;
      }
      Bucket to = tx.createBucketIfAbsent(name);
      to.fillPercent(BatchWriter.ASCENDING_FILL);
      Cursor cursor = from.cursor();
      for (boolean row = cursor.first(); row; row = cursor.next()) {
        to.put(cursor.key(), cursor.value());
      }
    }
  }

  /// Revisions copied so far.
  public long copied() {
    return copied;
  }

  /// Whether the copy bears the file's name.
  public boolean hasSwapped() {
    return swapped;
  }

  /// Abandons it and removes the copy, unless it has taken the file's place.
  @Override
  public void close() throws IOException {
    if (ended) {
      return;
    }
    ended = true;
    backend.endDefragmentation();
    target.close();
    disk.delete(copy);
  }
}
