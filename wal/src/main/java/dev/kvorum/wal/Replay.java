package dev.kvorum.wal;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.DiskFile;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the records of a log, read in order, add up to.
///
/// Raft's log is cut back by writing an index again: an entry replaces all that was read at its index and behind, even
/// when its index lies at or before the start. And when the entry at the start's index has another term than the start,
/// then the start is a snapshot of a leader with another log, and nothing that was read before it follows it.
///
/// A record's checksum covers its data and not its type: one flipped bit makes a hard state an entry, or the reverse,
/// and no sum tells. So what raft promises of its log is checked: terms never fall, what was committed is not written
/// again, and nothing is committed that the log does not have.
final class Replay {
  private final RecordReader reader;
  private final WalSnapshot start;
  private final List<Entry> entries = new ArrayList<>();
  private final List<WalSnapshot> snapshots = new ArrayList<>();
  private final boolean keepEntries;
  private HardState hardState = HardState.EMPTY;
  private @Nullable Bytes metadata;
  private long lastIndex;
  private long lastSnapshot;

  /// The last entry of those that change the configuration and say nothing of how, until a hard state bears it out.
  private @Nullable Entry bareChange;

  private boolean startWasRecorded;

  /// Of the entry read at the start's index; 0 when none was.
  private long termAtStart;

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
        checkCommitted();
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
      case RecordType.STATE -> takeState(RaftCodec.decodeHardState(reader.data()));
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

  private void takeState(HardState state) throws CorruptionException {
    if (Long.compareUnsigned(state.term(), hardState.term()) < 0) {
      throw reader.corrupt("wal: term falls from " + Long.toUnsignedString(hardState.term()) + " to "
          + Long.toUnsignedString(state.term()));
    }
    if (bareChange != null && Long.compareUnsigned(bareChange.term(), state.term()) > 0) {
      throw reader.corrupt("wal: entry " + Long.toUnsignedString(bareChange.index()) + " is of a later term");
    }
    bareChange = null;
    hardState = state;
  }

  private void takeEntry(Entry entry) throws CorruptionException {
    if (Long.compareUnsigned(entry.index(), start.index()) <= 0) {
      termAtStart = entry.index() == start.index() ? entry.term() : 0;
      forgetEntries();
      return;
    }
    checkEntry(entry);
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

  private void checkEntry(Entry entry) throws CorruptionException {
    if (Long.compareUnsigned(entry.index(), hardState.commit()) <= 0) {
      throw reader.corrupt("wal: committed entry " + Long.toUnsignedString(entry.index()) + " is written again");
    }
    if (entry.type() != EntryType.NORMAL && entry.data().isEmpty()) {
      // Of version 2 it leaves a joint configuration. Otherwise it is a hard state of a cluster in its first terms.
      if (entry.type() == EntryType.CONF_CHANGE) {
        throw reader.corrupt("wal: entry " + Long.toUnsignedString(entry.index()) + " changes nothing");
      }
      bareChange = entry;
    }
  }

  /// @throws CorruptionException when the log ends before what it says is committed
  private void checkCommitted() throws CorruptionException {
    if (keepEntries && Long.compareUnsigned(hardState.commit(), Math.max(lastIndex, lastSnapshot)) > 0) {
      throw reader.corrupt("wal: the log ends before the entry " + Long.toUnsignedString(hardState.commit())
          + " that it says is committed");
    }
    if (bareChange != null && Long.compareUnsigned(bareChange.term(), hardState.term()) > 0) {
      throw reader.corrupt("wal: entry " + Long.toUnsignedString(bareChange.index()) + " is of a later term");
    }
  }

  private void takeSnapshot(WalSnapshot snapshot) throws CorruptionException {
    snapshots.add(snapshot);
    lastSnapshot = snapshot.index();
    if (keepEntries && snapshot.index() == start.index()) {
      if (snapshot.term() != start.term()) {
        throw reader.corrupt("wal: snapshot mismatch");
      }
      startWasRecorded = true;
      if (termAtStart != 0 && termAtStart != start.term()) {
        forgetEntries();
      }
    }
  }

  private void forgetEntries() {
    entries.clear();
    lastIndex = start.index();
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
