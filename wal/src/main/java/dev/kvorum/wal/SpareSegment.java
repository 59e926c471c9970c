package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;

/// The next segment's file, made by a worker while the log loop still fills this one.
///
/// Shared by two threads through one reference: a worker turns `EMPTY` into a file, the log loop takes the file. If the
/// loop needs one before it is ready, it makes a plain one for itself under another name and does not wait.
final class SpareSegment {
  private static final int ZEROS_BYTES = 1 << 20;

  /// Synced in steps, so that the log's own syncs never queue behind 64 MB of zeros.
  private static final long SYNC_EVERY_BYTES = 4 << 20;

  /// A locked file of zeros, at `path` until it is renamed.
  ///
  /// @param zeroWritten whether its blocks were written, not only reserved
  record Spare(Path path, DiskFile file, boolean zeroWritten) implements Slot {}

  private sealed interface Slot permits Spare, Mark {}

  private enum Mark implements Slot {
    EMPTY,
    PREPARING,
    CLOSED
  }

  private final Disk disk;
  private final Path directory;
  private final WalOptions options;
  private final AtomicReference<Slot> slot = new AtomicReference<>(Mark.EMPTY);

  /// Written by whoever holds `PREPARING`. Names alternate: the file taken last may not have been renamed yet.
  private int prepared;

  SpareSegment(Disk disk, Path directory, WalOptions options) {
    this.disk = disk;
    this.directory = directory;
    this.options = options;
  }

  boolean isWanted() {
    return slot.get() == Mark.EMPTY;
  }

  /// On a worker.
  void prepare() throws IOException {
    if (!slot.compareAndSet(Mark.EMPTY, Mark.PREPARING)) {
      return;
    }
    Slot made = Mark.EMPTY;
    try {
      made = make(prepared++ % 2 + ".tmp", true);
    } finally {
      if (!slot.compareAndSet(Mark.PREPARING, made) && made instanceof Spare late) {
        discard(late);
      }
    }
  }

  /// On the log loop.
  Spare take() throws IOException {
    Slot found = slot.get();
    if (found instanceof Spare spare && slot.compareAndSet(spare, Mark.EMPTY)) {
      return spare;
    }
    return make("2.tmp", false);
  }

  /// On the log loop. A worker still preparing cleans up behind itself.
  void close() throws IOException {
    if (slot.getAndSet(Mark.CLOSED) instanceof Spare spare) {
      discard(spare);
    }
  }

  private void discard(Spare spare) throws IOException {
    spare.file().close();
    disk.delete(spare.path());
  }

  private Spare make(String name, boolean zeroWritten) throws IOException {
    Path path = directory.resolve(name);
    disk.delete(path);
    DiskFile file = disk.open(path, Disk.OpenMode.CREATE_NEW);
    boolean made = false;
    try {
      Segment.lock(file);
      file.allocate(options.segmentBytes());
      if (zeroWritten) {
        writeZeros(file);
      }
      made = true;
      return new Spare(path, file, zeroWritten);
    } finally {
      if (!made) {
        file.close();
        disk.delete(path);
      }
    }
  }

  private void writeZeros(DiskFile file) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS_BYTES);
    long synced = 0;
    for (long at = 0; at < options.segmentBytes() && slot.get() != Mark.CLOSED; ) {
      zeros.clear().limit((int) Math.min(ZEROS_BYTES, options.segmentBytes() - at));
      int length = zeros.remaining();
      file.write(zeros, at);
      at += length;
      if (at - synced >= SYNC_EVERY_BYTES || at == options.segmentBytes()) {
        sync(file);
        synced = at;
      }
    }
  }

  private void sync(DiskFile file) throws IOException {
    if (!options.unsafeNoSync()) {
      file.sync();
    }
  }

  /// Removes spares that a crash left behind. Their names are ours alone, and nobody holds them: the caller holds the
  /// log's last segment.
  static void removeLeftovers(Disk disk, Path directory) throws IOException {
    for (String name : disk.list(directory)) {
      if (name.endsWith(".tmp")) {
        disk.delete(directory.resolve(name));
      }
    }
  }
}
