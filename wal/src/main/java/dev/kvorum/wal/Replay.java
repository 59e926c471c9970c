package dev.kvorum.wal;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.DiskFile;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the records of a log, read in order, add up to.
///
/// Raft's log is cut back only by writing an index again: an entry replaces all that was read at its index and behind.
final class Replay {
  private final RecordReader reader;
  private final WalSnapshot start;
  private final List<Entry> entries = new ArrayList<>();
  private final List<WalSnapshot> snapshots = new ArrayList<>();
  private final boolean keepEntries;
  private HardState hardState = HardState.EMPTY;
  private @Nullable Bytes metadata;
  private long lastIndex;
  private boolean startWasRecorded;

  private Replay(RecordReader reader, WalSnapshot start, boolean keepEntries) {
    this.reader = reader;
    this.start = start;
    this.keepEntries = keepEntries;
    lastIndex = start.index();
  }

  static Replay entriesAfter(WalSnapshot start, List<DiskFile> segments) throws IOException {
    return new Replay(new RecordReader(segments), start, true);
  }

  static Replay snapshotsOf(List<DiskFile> segments) throws IOException {
    return new Replay(new RecordReader(segments), WalSnapshot.EMPTY, false);
  }

  /// Reads to the end. @return END or TORN
  RecordReader.Outcome run() throws IOException {
    while (true) {
      RecordReader.Outcome outcome = reader.next();
      if (outcome != RecordReader.Outcome.RECORD) {
        return outcome;
      }
      try {
        take();
      } catch (WireFormatException e) {
        throw reader.corrupt("wal: record of type " + reader.type() + ": " + e.getMessage());
      }
    }
  }

  private void take() throws CorruptionException, WireFormatException {
    switch (reader.type()) {
      case RecordType.METADATA -> takeMetadata();
      case RecordType.ENTRY -> {
        if (keepEntries) {
          takeEntry(RaftCodec.decodeEntry(reader.data()));
        }
      }
      case RecordType.STATE -> hardState = RaftCodec.decodeHardState(reader.data());
      case RecordType.CRC -> {}
      case RecordType.SNAPSHOT -> takeSnapshot(RecordCodec.decodeSnapshot(reader.data()));
      default -> throw reader.corrupt("unexpected block type " + reader.type());
    }
  }

  private void takeMetadata() throws CorruptionException {
    Bytes found = Bytes.wrap(reader.copyOfData());
    if (metadata != null && !metadata.equals(found)) {
      throw reader.corrupt("wal: conflicting metadata found");
    }
    metadata = found;
  }

  private void takeEntry(Entry entry) throws CorruptionException {
    if (Long.compareUnsigned(entry.index(), start.index()) <= 0) {
      return;
    }
    long position = entry.index() - start.index() - 1;
    if (Long.compareUnsigned(position, entries.size()) > 0) {
      throw reader.corrupt("wal: slice bounds out of range, snapshot[Index: " + Long.toUnsignedString(start.index())
          + ", Term: " + Long.toUnsignedString(start.term()) + "], current entry[Index: "
          + Long.toUnsignedString(entry.index()) + ", Term: " + Long.toUnsignedString(entry.term())
          + "], len(ents): " + entries.size());
    }
    if (position < entries.size()) {
      entries.subList((int) position, entries.size()).clear();
    }
    entries.add(entry);
    lastIndex = entry.index();
  }

  private void takeSnapshot(WalSnapshot snapshot) throws CorruptionException {
    snapshots.add(snapshot);
    if (keepEntries && snapshot.index() == start.index()) {
      if (snapshot.term() != start.term()) {
        throw reader.corrupt("wal: snapshot mismatch");
      }
      startWasRecorded = true;
    }
  }

  /// @throws WalException when the log never recorded where it was asked to start
  void requireStart() throws WalException {
    if (!startWasRecorded) {
      throw new WalException(WalException.Reason.SNAPSHOT_NOT_FOUND, "wal: snapshot not found");
    }
  }

  /// Exactly as on disk, to be repeated in every segment.
  byte[] metadataBytes() throws CorruptionException {
    if (metadata == null) {
      throw new CorruptionException(reader.file().path(), 0, "wal: no metadata record");
    }
    return metadata.array();
  }

  WalMetadata metadata() throws IOException {
    try {
      return RecordCodec.decodeMetadata(new ProtoReader(metadataBytes()));
    } catch (WireFormatException e) {
      throw new CorruptionException(reader.file().path(), 0, "wal: metadata record: " + e.getMessage());
    }
  }

  HardState hardState() {
    return hardState;
  }

  List<Entry> entries() {
    return entries;
  }

  /// The snapshots whose index the log knew to be committed.
  List<WalSnapshot> committedSnapshots() {
    return snapshots.stream()
        .filter(snapshot -> Long.compareUnsigned(snapshot.index(), hardState.commit()) <= 0)
        .toList();
  }

  long lastIndex() {
    return lastIndex;
  }

  RecordReader reader() {
    return reader;
  }
}
