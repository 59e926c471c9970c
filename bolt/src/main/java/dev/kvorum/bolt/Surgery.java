package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Operations on a copy of a file that no longer opens, or should not: the source is only ever read, and locked
/// meanwhile against writers. Each refuses to touch a target that exists.
///
/// What none of these mends, [Salvage] may still read.
///
/// Source: bbolt `surgery`.
public final class Surgery {
  private static final int COPY_BYTES = 1 << 20;

  private Surgery() {}

  /// One meta page, as found.
  ///
  /// @param page 0 or 1
  /// @param flaw what is wrong with it, in bbolt's words; empty when it is valid
  /// @param txid of the state it tells, or -1
  public record MetaFinding(int page, String flaw, long txid) {
    public boolean isValid() {
      return flaw.isEmpty();
    }
  }

  /// What both meta pages are like.
  public static MetaFinding[] metas(Disk disk, Path source) throws IOException {
    try (DiskFile file = lockedSource(disk, source)) {
      MetaPages.Both both = MetaPages.read(file);
      return new MetaFinding[] {finding(0, both.first()), finding(1, both.second())};
    }
  }

  private static MetaFinding finding(int page, Meta.Reading reading) {
    Meta meta = reading.meta();
    return new MetaFinding(page, reading.flaw(), meta == null ? -1 : meta.txid());
  }

  /// Goes back by one transaction: the older meta page takes the place of the newest one. The pages of that state are
  /// all there still, for none is used again before the transaction after.
  ///
  /// @return the transaction the copy now stands at
  /// @throws CorruptionException when there are not two valid meta pages: then the newest state is the only one
  public static long revertMeta(Disk disk, Path source, Path target) throws IOException {
    try (DiskFile from = lockedSource(disk, source)) {
      MetaPages.Both both = MetaPages.read(from);
      Meta older = both.older();
      if (older == null) {
        Meta.Reading flawed = both.first().meta() == null ? both.first() : both.second();
        int at = both.first().meta() == null ? 0 : both.pageSize();
        throw new CorruptionException(source, at, "no older meta page to revert to: " + flawed.flaw());
      }
      try (DiskFile to = copy(disk, from, target)) {
        writeMeta(to, older, both.newestSlot());
        finish(disk, to, target);
      }
      return older.txid();
    }
  }

  /// Has both meta pages name no list of free pages: whoever opens the copy finds them by walking all that is used.
  /// For a list that contradicts the pages in use, or cannot be read.
  public static void abandonFreelist(Disk disk, Path source, Path target) throws IOException {
    try (DiskFile from = lockedSource(disk, source)) {
      MetaPages.Both both = MetaPages.read(from);
      if (both.newest() == null) {
        throw new CorruptionException(source, 0, both.first().flaw());
      }
      try (DiskFile to = copy(disk, from, target)) {
        abandon(to, both.first().meta(), 0);
        abandon(to, both.second().meta(), 1);
        finish(disk, to, target);
      }
    }
  }

  private static void abandon(DiskFile to, @Nullable Meta meta, int slot) throws IOException {
    if (meta != null) {
      writeMeta(
          to,
          new Meta(meta.pageSize(), meta.root(), meta.sequence(), Meta.NO_FREELIST, meta.pageCount(), meta.txid()),
          slot);
    }
  }

  /// Gives a file without a list of free pages one.
  ///
  /// @throws IOException also when the file has a list: abandon that first
  public static void rebuildFreelist(Disk disk, Path source, Path target) throws IOException {
    try (DiskFile from = lockedSource(disk, source)) {
      Meta meta = MetaPages.find(from);
      if (meta.hasFreelist()) {
        throw new IOException(
            "the file already has freelist, please consider to abandon the freelist to forcibly rebuild it");
      }
      copy(disk, from, target).close();
    }
    try (Bolt bolt = Bolt.open(disk, target, BoltOptions.defaults().withInitialMapBytes(0).withSyncFreelist(true))) {
      bolt.beginRead().close(); // opening has written the list
    } catch (IOException e) {
      disk.delete(target);
      throw e;
    }
  }

  /// The source, which nobody writes to while it is open.
  static DiskFile lockedSource(Disk disk, Path source) throws IOException {
    DiskFile file = disk.open(source, Disk.OpenMode.READ);
    if (!file.tryFlock(false)) {
      file.close();
      throw new FileLockedException(source);
    }
    return file;
  }

  private static DiskFile copy(Disk disk, DiskFile from, Path target) throws IOException {
    DiskFile to = disk.open(target, Disk.OpenMode.CREATE_NEW);
    try {
      ByteBuffer chunk = ByteBuffer.allocate(COPY_BYTES);
      for (long at = 0; from.read(chunk, at) > 0; ) {
        int n = chunk.flip().limit();
        to.write(chunk, at);
        at += n;
        chunk.clear();
      }
      return to;
    } catch (IOException e) {
      to.close();
      disk.delete(target);
      throw e;
    }
  }

  private static void writeMeta(DiskFile to, Meta meta, int slot) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(meta.pageSize());
    meta.write(page, 0, slot);
    to.write(page, (long) slot * meta.pageSize());
  }

  private static void finish(Disk disk, DiskFile to, Path target) throws IOException {
    to.sync();
    Path directory = target.toAbsolutePath().getParent();
    if (directory != null) {
      disk.syncDirectory(directory);
    }
  }
}
