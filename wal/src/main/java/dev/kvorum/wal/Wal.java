package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.Invariant;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The log on disk. Owned by the log loop, except where a method says otherwise.
///
/// Whatever was [#append]ed becomes durable by [#sync], all of it with one write and one fdatasync, so a loop that
/// gathers while the disk is busy shares each sync among all who wait. When a segment is full, the sync that filled it
/// also starts the next one.
///
/// A write or sync that fails is final: the kernel may have dropped the very pages a second sync would call clean.
/// The log then refuses everything but [#close], and its member must stop.
///
/// ```text
/// append(state, entries)*   needsSync()? sync()     every batch
/// writeAhead, prepareNext                           between batches, run by workers: zeros ahead of the tail
/// saveSnapshot(mark), releaseTo(index), purge       after each snapshot
/// ```
public final class Wal implements AutoCloseable {
  /// How far ahead of the tail the current segment is kept zero-written.
  private static final long AHEAD_BYTES = 16 << 20;

  /// How near to the tail a write-ahead step may begin: what the log may write while the step waits for a worker. Less
  /// in small segments, a page at least.
  private static final long GUARD_BYTES_MAX = 256 << 10;

  private static final int PAGE_BYTES = 4096;

  /// More than this is never gathered for one sync, but for a single entry. Opening counts on it: see
  /// [WalOpening].
  static final long UNSYNCED_BYTES_MAX = 16 << 20;

  /// What a log held when it was opened.
  ///
  /// @param wal ready to append behind it
  /// @param hardState the last one written; EMPTY when none was
  /// @param entries those after the start, consecutive; later records have replaced earlier ones
  /// @param brokenCopy where the last segment was copied before what lay behind its end was cut off: a record that was
  ///     never whole, or anything but zeros; null when there was nothing
  public record Opened(
      Wal wal, WalMetadata metadata, HardState hardState, List<Entry> entries, @Nullable Path brokenCopy) {}

  private final Disk disk;
  private final Path directory;
  private final WalOptions options;
  private final byte[] metadata;
  private final SegmentWriter writer;
  private final SpareSegment spare;

  /// Locked, oldest first; the last is the one written to.
  private final ArrayDeque<Segment> segments;

  private HardState saved;
  private long lastIndex;
  private boolean needsSync;

  /// The newest snapshot recorded since opening.
  private long markedIndex;

  /// In the tail segment.
  private long syncedTo;

  /// Up to where the tail segment's blocks were written with zeros; never less than what a step covers.
  private long zeroWrittenTo;

  private @Nullable WriteAhead writeAhead;
  private @Nullable Throwable failure;
  private boolean closed;

  Wal(Disk disk, Path directory, WalOptions options, WalOpening.Tail tail) {
    this.disk = disk;
    this.directory = directory;
    this.options = options;
    metadata = tail.metadata();
    segments = tail.segments();
    saved = tail.hardState();
    lastIndex = tail.lastIndex();
    writer = new SegmentWriter(
        segments.getLast().file(), tail.offset(), tail.crc(), options.bufferBytes(), this::beforeWrite);
    spare = new SpareSegment(disk, directory, options);
    syncedTo = tail.offset();
  }

  /// Whether `directory` holds a log.
  public static boolean exists(Disk disk, Path directory) throws IOException {
    return disk.isDirectory(directory) && disk.list(directory).stream().anyMatch(name -> name.endsWith(".wal"));
  }

  /// A new log in `directory`, which must not hold one; all of it appears at once, durably, or not at all.
  public static Wal create(Disk disk, Path directory, WalMetadata metadata, WalOptions options) throws IOException {
    return WalOpening.create(disk, directory, metadata, options);
  }

  /// Opens the log at `start` (of [WalReading#validSnapshots], or [WalSnapshot#EMPTY]), repairing once a torn tail. Who
  /// knows something that the log must hold uses [WalOpening], and asks for it before the log is changed.
  ///
  /// @throws dev.kvorum.env.CorruptionException when anything but the tail of the last segment is damaged
  /// @throws WalException when the log does not fit `start`, or another process holds it
  public static Opened open(Disk disk, Path directory, WalSnapshot start, WalOptions options) throws IOException {
    try (WalOpening found = WalOpening.find(disk, directory, start, options)) {
      return found.takeOver();
    }
  }

  /// See [WalReading#validSnapshots].
  public static List<WalSnapshot> validSnapshots(Disk disk, Path directory) throws IOException {
    return WalReading.validSnapshots(disk, directory);
  }

  /// Takes `entries`, then `hardState` (EMPTY: unchanged), into the buffer. Nothing is durable before [#sync].
  ///
  /// @throws IOException only when the buffer had to be written out and that failed
  public void append(HardState hardState, List<Entry> entries) throws IOException {
    requireUsable();
    try {
      for (Entry entry : entries) {
        appendEntry(entry);
      }
      if (!hardState.isEmpty()) {
        appendState(hardState);
      }
    } catch (Throwable e) {
      failed(e);
      throw e;
    }
  }

  private void appendEntry(Entry entry) throws IOException {
    if (entry.index() == 0 || Long.compareUnsigned(entry.index() - 1, lastIndex) > 0) {
      throw new InvariantViolation("entry " + Long.toUnsignedString(entry.index()) + " would leave a gap behind "
          + Long.toUnsignedString(lastIndex));
    }
    long unsynced = writer.offset() - syncedTo;
    if (unsynced > 0 && unsynced + entry.data().size() > UNSYNCED_BYTES_MAX) {
      flushAndSync();
    }
    writer.entry(entry);
    lastIndex = entry.index();
    needsSync = true;
  }

  private void appendState(HardState state) throws IOException {
    writer.record(RecordType.STATE, RaftCodec.encode(state));
    needsSync |= state.term() != saved.term() || state.vote() != saved.vote() || coversMark(state);
    saved = state;
  }

  /// Whether it is this commit index that makes the newest mark count ([#validSnapshots]): the state behind a received
  /// snapshot may be in use as soon as anyone is told, and then a restart must find its mark.
  private boolean coversMark(HardState state) {
    return Long.compareUnsigned(saved.commit(), markedIndex) < 0
        && Long.compareUnsigned(state.commit(), markedIndex) >= 0;
  }

  /// Whether what was appended must be synced before anyone is told: entries, a new term or vote, or the commit index
  /// that covers a received snapshot. A new commit index alone need not be.
  public boolean needsSync() {
    return needsSync;
  }

  /// Makes everything appended durable, with one write and one fdatasync, if [#needsSync]; then starts a new segment if
  /// this one is full (which costs three syncs more). A failure is final.
  public void sync() throws IOException {
    requireUsable();
    try {
      requireWriteAheadWell();
      if (writer.offset() >= options.segmentBytes()) {
        cut();
      } else if (needsSync) {
        flushAndSync();
      }
      requireWriteAheadWell();
    } catch (Throwable e) {
      failed(e);
      throw e;
    }
  }

  /// Records a snapshot, durable on return, with all that was appended before.
  ///
  /// @throws dev.kvorum.env.InvariantViolation when the index is above 0 and nobody votes
  public void saveSnapshot(WalSnapshot snapshot) throws IOException {
    requireUsable();
    Invariant.check(
        snapshot.index() == 0 || !snapshot.confState().voters().isEmpty(),
        "Saved (not-initial) snapshot is missing ConfState");
    try {
      writer.record(RecordType.SNAPSHOT, RecordCodec.encode(snapshot));
      if (Long.compareUnsigned(lastIndex, snapshot.index()) < 0) {
        lastIndex = snapshot.index();
      }
      markedIndex = snapshot.index();
      flushAndSync();
    } catch (Throwable e) {
      failed(e);
      throw e;
    }
  }

  private void flushAndSync() throws IOException {
    writer.flush();
    sync(segments.getLast().file());
    syncedTo = writer.offset();
    needsSync = false;
  }

  private void sync(DiskFile file) throws IOException {
    if (!options.unsafeNoSync()) {
      file.sync();
    }
  }

  /// Makes this segment durable, cut to its length, and starts the next one. A crash anywhere in between leaves a log
  /// that ends with the old segment, whole, and at most a spare file more: the new one gets its name only when its head
  /// is durable.
  private void cut() throws IOException {
    callOffWriteAhead(Long.MAX_VALUE);
    writer.flush();
    DiskFile full = segments.getLast().file();
    full.resize(writer.offset());
    sync(full);

    SpareSegment.Spare next = spare.take();
    writer.moveTo(next.file());
    writer.crcRecord();
    writer.record(RecordType.METADATA, metadata);
    if (!saved.isEmpty()) {
      writer.record(RecordType.STATE, RaftCodec.encode(saved));
    }
    writer.flush();
    sync(next.file());

    SegmentName name = new SegmentName(segments.getLast().name().sequence() + 1, lastIndex + 1);
    disk.rename(next.path(), directory.resolve(name.file()));
    if (!options.unsafeNoSync()) {
      disk.syncDirectory(directory);
    }
    segments.addLast(new Segment(name, next.file()));
    zeroWrittenTo = next.zeroWritten() ? options.segmentBytes() : 0;
    syncedTo = writer.offset();
    needsSync = false;
  }

  /// Lets [WalReading#purge] have the segments that a start from a snapshot at `index` does not need.
  public void releaseTo(long index) throws IOException {
    requireUsable();
    try {
      while (segments.size() > 1 && Long.compareUnsigned(second().name().index(), index) < 0) {
        segments.removeFirst().file().close();
      }
    } catch (Throwable e) {
      failed(e);
      throw e;
    }
  }

  private Segment second() {
    var iterator = segments.iterator();
    iterator.next();
    return iterator.next();
  }

  /// Whether the spare segment has been used up and [#prepareNext] has work to do. For any thread.
  public boolean wantsNext() {
    return spare.isWanted();
  }

  /// Makes the next segment's file ahead of its use: a segment of zeros, written and synced, so that later syncs need
  /// no file system journal. For a worker thread; calls beyond the first in flight do nothing, nor do those after
  /// [#close].
  ///
  /// @throws IOException such as a full disk; the log itself is still well, and will try again when it needs the file
  public void prepareNext() throws IOException {
    spare.prepare();
  }

  /// A step of zero-writing the current segment ahead of its tail, or null when enough is written or a step is under
  /// way. Asked for on the log loop, run by any worker. What fails in it fails the log at its next sync.
  ///
  /// @param bytesMax of one step; a mebibyte or a few
  public @Nullable Runnable writeAhead(int bytesMax) {
    if (failure != null || closed || (writeAhead != null && !writeAhead.isSpent())) {
      return null;
    }
    long tail = writer.offset();
    long guard = Math.clamp(options.segmentBytes() / 4, PAGE_BYTES, GUARD_BYTES_MAX);
    long start = Math.max(zeroWrittenTo, (tail + guard) / PAGE_BYTES * PAGE_BYTES);
    long target = Math.min(options.segmentBytes(), tail + AHEAD_BYTES);
    boolean enough = start - tail >= AHEAD_BYTES / 2 && target < options.segmentBytes();
    if (start >= target || enough) {
      return null; // refilled in large steps, not after every sync
    }
    int length = (int) Math.min(bytesMax, target - start);
    Path path = directory.resolve(segments.getLast().name().file());
    zeroWrittenTo = start + length;
    writeAhead = new WriteAhead(disk, path, start, length, !options.unsafeNoSync());
    return writeAhead;
  }

  private void beforeWrite(long end) {
    callOffWriteAhead(end);
  }

  private void callOffWriteAhead(long end) {
    if (writeAhead != null) {
      writeAhead.yieldTo(end);
    }
  }

  private void requireWriteAheadWell() throws IOException {
    IOException e = writeAhead == null ? null : writeAhead.failure();
    if (e != null) {
      throw e;
    }
  }

  /// Bytes of frames written since opening.
  public long writtenBytes() {
    return writer.writtenBytes();
  }

  /// The index of the last entry written (or of a snapshot recorded beyond it).
  public long lastIndex() {
    return lastIndex;
  }

  /// Syncs what was appended, and lets go of all files. After a failure it only lets go.
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    callOffWriteAhead(Long.MAX_VALUE);
    try {
      if (failure == null) {
        flushAndSync();
      }
    } finally {
      try {
        spare.close();
      } finally {
        WalOpening.closeAll(segments.stream().map(Segment::file).toList());
      }
    }
  }

  private void requireUsable() throws WalException {
    if (failure != null) {
      throw new WalException(WalException.Reason.STOPPED, "wal: an earlier write failed", failure);
    }
    if (closed) {
      throw new WalException(WalException.Reason.STOPPED, "wal: closed");
    }
  }

  /// Remembers that the file can no longer be known.
  private void failed(Throwable e) {
    if (failure == null) {
      failure = e;
    }
  }
}
