package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.file.Path;

/// An open segment and its lock. The file's own path may still be a spare's.
record Segment(SegmentName name, DiskFile file) {
  /// Opens and locks an existing segment.
  static Segment open(Disk disk, Path directory, SegmentName name) throws IOException {
    DiskFile file = disk.open(directory.resolve(name.file()), Disk.OpenMode.WRITE);
    boolean opened = false;
    try {
      lock(file);
      opened = true;
      return new Segment(name, file);
    } finally {
      if (!opened) {
        file.close();
      }
    }
  }

  static void lock(DiskFile file) throws IOException {
    if (!file.tryRecordLock()) {
      throw new WalException(WalException.Reason.LOCKED, "wal: file already locked: " + file.path());
    }
  }
}
