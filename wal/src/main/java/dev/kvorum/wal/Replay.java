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
/// when its index lies at or before the start. And when the start's index is committed but its entry has another term,
/// then the start is a snapshot of a leader with another log, and nothing that was read before it follows it. (Before
/// the commit is known it may be a snapshot that a crash kept from being installed.)
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

  /// The highest that a snapshot was recorded at.
  private long markedIndex;

  /// Of the last entry read, wherever it belongs; 0 before the first.
  private long lastTerm;

  private boolean startWasRecorded;

  /// Of the entry read at the start's index; 0 when none was.
  private long termAtStart;

  /// How many of the entries were read before the start and belong to another log than it.
  private int strangers;

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
    requirePlace();
    switch (reader.type()) {
      case RecordType.METADATA -> takeMetadata();
      case RecordType.ENTRY -> {
        requirePossible(reader.data());
        if (keepEntries) {
          takeEntry(RaftCodec.decodeEntry(reader.data()));
        }
      }
      case RecordType.STATE -> takeState(RecordCodec.decodeHardState(reader.data()));
      case RecordType.CRC -> {}
      case RecordType.SNAPSHOT -> takeSnapshot(RecordCodec.decodeSnapshot(reader.data()));
      default -> throw reader.corrupt("unexpected block type " + reader.type());
    }
  }

  /// Every segment begins with a checksum and the metadata.
  private void requirePlace() throws CorruptionException {
    int expected = switch (reader.recordInSegment()) {
      case 0 -> RecordType.CRC;
      case 1 -> RecordType.METADATA;
      default -> reader.type();
    };
    if (reader.type() != expected) {
      throw reader.corrupt("wal: record of type " + reader.type() + " where one of type " + expected + " belongs");
    }
  }

  /// Terms and commits only grow, and what is committed is in the log. Checked because a record's type is not summed: an
  /// entry without data, its type rotten, reads as a state.
  private void takeState(HardState state) throws CorruptionException {
    boolean falls = Long.compareUnsigned(state.term(), hardState.term()) < 0
        || Long.compareUnsigned(state.commit(), hardState.commit()) < 0;
    boolean isAhead = (keepEntries || lastTerm != 0) && Long.compareUnsigned(state.commit(), committableIndex()) > 0;
    if (falls || isAhead) {
      throw reader.corrupt("wal: impossible hard state " + state + " behind " + hardState);
    }
    hardState = state;
    boolean installed = Long.compareUnsigned(state.commit(), start.index()) >= 0;
    if (installed && strangers > 0 && strangers == entries.size()) {
      forgetEntries();
    }
  }

  private long committableIndex() {
    return Long.compareUnsigned(markedIndex, lastIndex) > 0 ? markedIndex : lastIndex;
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
      termAtStart = entry.index() == start.index() ? entry.term() : 0;
      forgetEntries();
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
      strangers = Math.min(strangers, (int) position);
    }
    entries.add(entry);
    lastIndex = entry.index();
  }

  /// What is committed is never written again, and no configuration change is empty but the one that leaves a joint
  /// configuration, which follows an entry of its own term. Checked because a record's type is not summed: a state, its
  /// type rotten, reads as an entry.
  private void requirePossible(ProtoReader in) throws CorruptionException, WireFormatException {
    int type = 0;
    long term = 0;
    long index = 0;
    boolean empty = true;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> type = in.enumNumber();
        case 2 -> term = in.number();
        case 3 -> index = in.number();
        default -> {
          empty = false;
          in.skip();
        }
      }
    }
    boolean committed = Long.compareUnsigned(index, hardState.commit()) <= 0
        && Long.compareUnsigned(index, start.index()) > 0;
    boolean leavesJoint = type == EntryType.CONF_CHANGE_V2.ordinal() && (lastTerm == 0 || lastTerm == term);
    boolean changesNothing = type != EntryType.NORMAL.ordinal() && empty && !leavesJoint;
    if (term == 0 || committed && keepEntries || changesNothing) {
      throw reader.corrupt("wal: impossible entry " + Long.toUnsignedString(term) + "/"
          + Long.toUnsignedString(index) + " behind " + hardState);
    }
    lastTerm = term;
    lastIndex = keepEntries ? lastIndex : index;
  }

  private void takeSnapshot(WalSnapshot snapshot) throws CorruptionException {
    snapshots.add(snapshot);
    if (Long.compareUnsigned(snapshot.index(), markedIndex) > 0) {
      markedIndex = snapshot.index();
    }
    if (keepEntries && snapshot.index() == start.index()) {
      if (snapshot.term() != start.term()) {
        throw reader.corrupt("wal: snapshot mismatch");
      }
      startWasRecorded = true;
      if (termAtStart != 0 && termAtStart != start.term()) {
        strangers = entries.size();
      }
    }
  }

  private void forgetEntries() {
    entries.clear();
    strangers = 0;
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

  /// All snapshots recorded, committed or not.
  List<WalSnapshot> recordedSnapshots() {
    return snapshots;
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
