package dev.kvorum.wal;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How a log comes to be written to: made anew, or read to its end, repaired and taken over.
final class WalOpening {
  private WalOpening() {}

  private static final int COPY_BYTES = 1 << 20;

  /// Where a [Wal] goes on.
  ///
  /// @param offset in the last segment
  /// @param crc running up to there
  record Tail(
      byte[] metadata, ArrayDeque<Segment> segments, HardState hardState, long lastIndex, long offset, int crc) {}

  static Wal create(Disk disk, Path directory, WalMetadata metadata, WalOptions options) throws IOException {
    if (Wal.exists(disk, directory)) {
      throw new FileAlreadyExistsException(directory.toString());
    }
    Path building = directory.resolveSibling(directory.getFileName() + ".tmp");
    disk.deleteTree(building);
    disk.createDirectories(building);
    SegmentName name = new SegmentName(0, 0);
    DiskFile file = disk.open(building.resolve(name.file()), Disk.OpenMode.CREATE_NEW);
    try {
      Segment.lock(file);
      file.allocate(options.segmentBytes());
      byte[] metadataBytes = RecordCodec.encode(metadata);
      SegmentWriter head = new SegmentWriter(file, 0, 0, PAGE_SIZE, end -> {});
      head.crcRecord();
      head.record(RecordType.METADATA, metadataBytes);
      head.record(RecordType.SNAPSHOT, RecordCodec.encode(WalSnapshot.EMPTY));
      head.flush();
      file.sync();
      disk.syncDirectory(building);
      disk.rename(building, directory);
      disk.syncDirectory(parentOf(directory));

      ArrayDeque<Segment> segments = new ArrayDeque<>();
      segments.add(new Segment(name, file));
      Tail tail = new Tail(metadataBytes, segments, HardState.EMPTY, 0, head.offset(), head.crc());
      return new Wal(disk, directory, options, tail);
    } catch (Throwable e) {
      file.close();
      throw e;
    }
  }

  private static final int PAGE_SIZE = 4096;

  private static Path parentOf(Path directory) {
    Path parent = directory.getParent();
    return parent == null ? Path.of(".") : parent;
  }

  static Wal.Opened open(Disk disk, Path directory, WalSnapshot start, WalOptions options) throws IOException {
    List<SegmentName> names = SegmentName.select(SegmentName.list(disk, directory), start.index());
    ArrayDeque<Segment> segments = new ArrayDeque<>();
    try {
      for (SegmentName name : names) {
        segments.add(Segment.open(disk, directory, name));
      }
      return takeOver(disk, directory, start, options, segments);
    } catch (Throwable e) {
      closeAll(segments.stream().map(Segment::file).toList());
      throw e;
    }
  }

  private static Wal.Opened takeOver(
      Disk disk, Path directory, WalSnapshot start, WalOptions options, ArrayDeque<Segment> segments)
      throws IOException {
    Replay replay = Replay.entriesAfter(start, segments.stream().map(Segment::file).toList());
    RecordReader.Outcome outcome = replay.run();
    replay.requireStart();
    WalMetadata metadata = replay.metadata();
    long offset = replay.reader().validOffset();
    DiskFile last = segments.getLast().file();
    requireCommitted(replay, start, last, offset);
    Path brokenCopy = null;
    if (outcome == RecordReader.Outcome.TORN) {
      brokenCopy = directory.resolve(segments.getLast().name().file() + ".broken");
      copy(disk, last, brokenCopy);
    }
    SpareSegment.removeLeftovers(disk, directory);
    if (!options.unsafeNoSync()) {
      rewriteTail(last, offset, replay.reader().longestFrame());
    }
    zeroBehind(last, offset, options);
    if (!options.unsafeNoSync()) {
      disk.syncDirectory(directory);
      disk.syncDirectory(parentOf(directory));
    }
    Tail tail = new Tail(
        replay.metadataBytes(), segments, replay.hardState(), replay.lastIndex(), offset, replay.reader().crc());
    Wal wal = new Wal(disk, directory, options, tail);
    return new Wal.Opened(wal, metadata, replay.hardState(), List.copyOf(replay.entries()), brokenCopy);
  }

  /// Entries are written before the state that commits them, so a log that ends before its commit index has lost some.
  private static void requireCommitted(Replay replay, WalSnapshot start, DiskFile last, long offset)
      throws CorruptionException {
    long commit = replay.hardState().commit();
    boolean hasAll =
        Long.compareUnsigned(commit, replay.lastIndex()) <= 0 || Long.compareUnsigned(commit, start.index()) <= 0;
    if (!hasAll) {
      throw new CorruptionException(
          last.path(),
          offset,
          "wal: commit index " + commit + " is beyond the last entry, " + Math.max(replay.lastIndex(), start.index()));
    }
  }

  /// What was read may be in the kernel's memory alone. If the process before us stopped because a sync failed, then the
  /// kernel holds those pages for clean, and no sync would write them again; only writing them does. Nor need the last
  /// segment's name, or the log's own, be durable if that process was killed behind a rename.
  private static void rewriteTail(DiskFile last, long offset, long longestFrame) throws IOException {
    long from = Math.max(0, offset - Wal.UNSYNCED_BYTES_MAX - longestFrame) / PAGE_SIZE * PAGE_SIZE;
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.clamp(offset - from, 1, COPY_BYTES));
    for (long at = from; at < offset; ) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), offset - at));
      int length = buffer.limit();
      last.readFully(buffer, at);
      last.write(buffer.flip(), at);
      at += length;
    }
  }

  /// Behind the first zero length field there may be more: parts of a batch whose beginning never reached the disk.
  /// They were never acknowledged, and must be gone before new records are written among them.
  private static void zeroBehind(DiskFile last, long offset, WalOptions options) throws IOException {
    last.resize(offset);
    if (offset < options.segmentBytes()) {
      last.allocate(options.segmentBytes());
    }
    if (!options.unsafeNoSync()) {
      last.sync();
    }
  }

  /// Keeps the torn segment as it was, for people: its tail is about to be cut off.
  private static void copy(Disk disk, DiskFile from, Path to) throws IOException {
    disk.delete(to);
    try (DiskFile target = disk.open(to, Disk.OpenMode.CREATE_NEW)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.clamp(from.size(), 1, COPY_BYTES));
      long at = 0;
      while (from.read(buffer.clear(), at) > 0) {
        int length = buffer.flip().remaining();
        target.write(buffer, at);
        at += length;
      }
      target.sync();
    }
  }

  /// Closes all, whatever fails. @throws IOException the first failure
  static void closeAll(List<DiskFile> files) throws IOException {
    @Nullable IOException first = null;
    for (DiskFile file : new ArrayList<>(files)) {
      try {
        file.close();
      } catch (IOException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
