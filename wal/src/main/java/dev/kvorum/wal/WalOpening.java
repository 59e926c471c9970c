package dev.kvorum.wal;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.Invariant;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How a log comes to be written to: made anew, or found, read to its end, and taken over.
///
/// In between, a log that was found is locked and not changed: whoever is to write it looks first whether it is what they
/// take it for. For [#takeOver] repairs it and cuts off what lies behind its end, and that may be more than a batch that
/// never was whole. Where the head of a record was overwritten with zeros, or a sector of it was, in the middle of the
/// last segment, the log ends there by the rules of its format, and so it does for etcd: a power failure that kept the
/// later sectors of a batch and lost the first leaves the same. Only what else is known tells the two apart — an index
/// that the db has applied already. When nothing is, the rest is cut off, but a copy is kept.
///
/// Owned by whoever found it, until taken over.
public final class WalOpening implements AutoCloseable {
  private static final int PAGE_SIZE = 4096;
  private static final int COPY_BYTES = 1 << 20;
  private static final int SCAN_BYTES = 256 << 10;

  private final Disk disk;
  private final Path directory;
  private final WalOptions options;
  private final ArrayDeque<Segment> segments;
  private final Replay replay;
  private final RecordReader.Outcome outcome;
  private final WalMetadata metadata;
  private final List<Entry> entries;
  private boolean takenOver;

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

  private static Path parentOf(Path directory) {
    Path parent = directory.getParent();
    return parent == null ? Path.of(".") : parent;
  }

  /// Reads the log from `start` (of [WalReading#validSnapshots], or [WalSnapshot#EMPTY]) to its end.
  ///
  /// @throws dev.kvorum.env.CorruptionException when anything but the tail of the last segment is damaged
  /// @throws WalException when the log does not fit `start`, or another process holds it
  public static WalOpening find(Disk disk, Path directory, WalSnapshot start, WalOptions options) throws IOException {
    List<SegmentName> all = SegmentName.list(disk, directory);
    return SegmentName.read(all, start.index(), names -> find(disk, directory, start, options, names));
  }

  private static WalOpening find(
      Disk disk, Path directory, WalSnapshot start, WalOptions options, List<SegmentName> names) throws IOException {
    ArrayDeque<Segment> segments = new ArrayDeque<>();
    try {
      for (SegmentName name : names) {
        segments.add(Segment.open(disk, directory, name));
      }
      return new WalOpening(disk, directory, start, options, segments);
    } catch (Throwable e) {
      closeAll(segments.stream().map(Segment::file).toList());
      throw e;
    }
  }

  private WalOpening(
      Disk disk, Path directory, WalSnapshot start, WalOptions options, ArrayDeque<Segment> segments)
      throws IOException {
    this.disk = disk;
    this.directory = directory;
    this.options = options;
    this.segments = segments;
    replay = Replay.entriesAfter(start, segments.stream().map(Segment::file).toList());
    outcome = replay.run();
    replay.requireStart();
    metadata = replay.metadata();
    requireCommitted(replay, start, last(), endOffset());
    entries = List.copyOf(replay.entries());
  }

  private DiskFile last() {
    return segments.getLast().file();
  }

  public WalMetadata metadata() {
    return metadata;
  }

  /// The last one written; EMPTY when none was.
  public HardState hardState() {
    return replay.hardState();
  }

  /// Those after the start, consecutive; later records have replaced earlier ones.
  public List<Entry> entries() {
    return entries;
  }

  /// The last segment, which the log goes on in.
  public Path lastSegment() {
    return last().path();
  }

  /// Where the log ends in its last segment.
  public long endOffset() {
    return replay.reader().validOffset();
  }

  /// Whether a record that was never whole lies behind the end.
  public boolean isTorn() {
    return outcome == RecordReader.Outcome.TORN;
  }

  /// Cuts off what lies behind the end, having kept a copy of it, makes durable what was read, and hands the log over for
  /// writing. It is closed as a [Wal] then.
  ///
  /// @throws IOException when that failed; the log is then as a crash might have left it
  public Wal.Opened takeOver() throws IOException {
    Invariant.check(!takenOver, "a log taken over twice");
    DiskFile last = last();
    long offset = endOffset();
    Path brokenCopy = null;
    if (isTorn() || anythingBehind(last, offset)) {
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
    takenOver = true;
    return new Wal.Opened(wal, metadata, hardState(), entries, brokenCopy);
  }

  /// Lets go of the log, unless it was taken over.
  @Override
  public void close() throws IOException {
    if (!takenOver) {
      closeAll(segments.stream().map(Segment::file).toList());
    }
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

  /// Reads up to a whole segment, which takes some tens of milliseconds when the system has it in memory.
  private static boolean anythingBehind(DiskFile last, long offset) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocate(SCAN_BYTES);
    ByteBuffer buffer = ByteBuffer.allocate(SCAN_BYTES);
    for (long at = offset; last.read(buffer.clear(), at) > 0; at += buffer.limit()) {
      buffer.flip();
      if (!buffer.equals(zeros.slice(0, buffer.limit()))) {
        return true;
      }
    }
    return false;
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

  /// Keeps the segment as it was, for people: its tail is about to be cut off.
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
