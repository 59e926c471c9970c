package dev.kvorum.wal;

import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a log was told, record by record, and at which operations of its disk which of them were known to be durable.
///
/// A log may come back with any number of its records, in order, so long as no acknowledged one is missing.
final class LogHistory {
  /// What a log that read its records up to some point holds. Grows; never goes back.
  static final class State {
    final TreeMap<Long, Entry> entries = new TreeMap<>();

    /// What a mark leaves of the entries behind it, when it is of a leader with another log: those written since.
    private final TreeMap<Long, TreeMap<Long, Entry>> strangers = new TreeMap<>();
    final List<WalSnapshot> marks = new ArrayList<>(List.of(WalSnapshot.EMPTY));
    HardState hardState = HardState.EMPTY;

    /// Index of the last entry, or of a mark beyond it.
    long lastIndex;

    State copy() {
      State copy = new State();
      copy.become(this);
      return copy;
    }

    private void become(State other) {
      entries.clear();
      entries.putAll(other.entries);
      marks.clear();
      marks.addAll(other.marks);
      strangers.clear();
      other.strangers.forEach((mark, since) -> strangers.put(mark, new TreeMap<>(since)));
      hardState = other.hardState;
      lastIndex = other.lastIndex;
    }

    /// Takes a record; or a whole state, when a killed process had not written all its records.
    void take(Object record) {
      switch (record) {
        case Entry entry -> {
          entries.tailMap(entry.index(), true).clear();
          entries.put(entry.index(), entry);
          for (var since : strangers.entrySet()) {
            since.getValue().tailMap(entry.index(), true).clear();
            if (entry.index() > since.getKey()) {
              since.getValue().put(entry.index(), entry);
            }
          }
          lastIndex = entry.index();
        }
        case HardState state -> hardState = state;
        case WalSnapshot mark -> {
          marks.add(mark);
          Entry same = entries.get(mark.index());
          if (same != null && same.term() != mark.term()) {
            strangers.put(mark.index(), new TreeMap<>());
          }
          lastIndex = Math.max(lastIndex, mark.index());
        }
        case State other -> become(other);
        default -> throw new IllegalArgumentException(record.toString());
      }
    }

    /// Where a member would start reading.
    WalSnapshot start() {
      WalSnapshot start = WalSnapshot.EMPTY;
      for (WalSnapshot mark : marks) {
        if (mark.index() <= hardState.commit()) {
          start = mark;
        }
      }
      return start;
    }

    NavigableMap<Long, Entry> entriesAfter(WalSnapshot start) {
      return strangers.getOrDefault(start.index(), entries).tailMap(start.index(), false);
    }

    /// What a log just opened at `start` knows: nothing before that, and of marks what this one knows.
    State opened(WalSnapshot start) {
      State state = copy();
      state.entries.clear();
      state.entries.putAll(entriesAfter(start));
      state.strangers.clear();
      state.lastIndex = state.entries.isEmpty() ? start.index() : state.entries.lastKey();
      return state;
    }

    /// @param recorded the marks in the log's files; the first of ours may have been purged
    boolean holds(List<WalSnapshot> recorded, WalSnapshot start, HardState hardState, List<Entry> entries) {
      int purged = marks.size() - recorded.size();
      return purged >= 0
          && marks.subList(purged, marks.size()).equals(recorded)
          && start().index() == start.index()
          && reads(start, hardState, entries);
    }

    /// As `holds`, for one who reads from elsewhere than where a member would.
    boolean reads(WalSnapshot start, HardState hardState, List<Entry> entries) {
      return this.hardState.equals(hardState)
          && List.copyOf(entriesAfter(start).values()).equals(entries);
    }
  }

  private record Note(long operation, int records) {}

  final State beginning;
  private final List<Object> records = new ArrayList<>();
  private final List<Note> issued = new ArrayList<>();
  private final List<Note> acknowledged = new ArrayList<>();

  /// What was ever given to be written as a `.snap` file.
  private final List<Snapshot> files = new ArrayList<>();

  /// The operation from which on the log itself must exist.
  private long createdAt = Long.MAX_VALUE;

  LogHistory(State beginning) {
    this.beginning = beginning;
  }

  void created(long operation) {
    createdAt = operation;
  }

  boolean exists(long operation) {
    return operation >= createdAt;
  }

  /// About to be given to the log.
  void issue(long operation, Object record) {
    records.add(record);
    issued.add(new Note(operation, records.size()));
  }

  /// All that was issued is durable.
  void acknowledge(long operation) {
    acknowledged.add(new Note(operation, records.size()));
  }

  /// The last records, for messages.
  String tail(int count) {
    StringBuilder text = new StringBuilder();
    for (Object record : records.subList(Math.max(0, records.size() - count), records.size())) {
      text.append("\n  ").append(switch (record) {
        case Entry entry -> "entry " + entry.term() + "/" + entry.index();
        case State state -> "opened " + state.marks + " " + state.hardState + " " + state.entries.keySet();
        default -> record.toString();
      });
    }
    return text.toString();
  }

  int recordCount() {
    return records.size();
  }

  void file(Snapshot snapshot) {
    files.add(snapshot);
  }

  /// Whether `found` is as it was written, or from an earlier life.
  boolean mayHold(Snapshot found) {
    List<Snapshot> written = files.stream().filter(file -> file.index() == found.index()).toList();
    return written.isEmpty() || written.contains(found) || found.index() <= beginning.marks.getLast().index();
  }

  /// Whether that is what the log held after any of its records.
  boolean wasEver(WalSnapshot start, HardState hardState, List<Entry> entries) {
    State state = beginning.copy();
    boolean found = state.reads(start, hardState, entries);
    for (int i = 0; i < records.size() && !found; i++) {
      state.take(records.get(i));
      found = state.reads(start, hardState, entries);
    }
    return found;
  }

  /// Follows a history through ascending operations.
  final class Cursor {
    private final State acknowledgedState = beginning.copy();
    private int taken;
    private int nextAcknowledged;
    private int nextIssued;
    private int issuedRecords;

    /// Stands before operation `operation`.
    void moveTo(long operation) {
      while (nextAcknowledged < acknowledged.size() && acknowledged.get(nextAcknowledged).operation <= operation) {
        int records = acknowledged.get(nextAcknowledged++).records;
        while (taken < records) {
          acknowledgedState.take(LogHistory.this.records.get(taken++));
        }
      }
      while (nextIssued < issued.size() && issued.get(nextIssued).operation <= operation) {
        issuedRecords = issued.get(nextIssued++).records;
      }
    }

    /// The state that the log came back with, or null when it is none that it may have.
    @Nullable State match(List<WalSnapshot> recorded, WalSnapshot start, HardState hardState, List<Entry> entries) {
      if (acknowledgedState.holds(recorded, start, hardState, entries)) {
        return acknowledgedState;
      }
      State state = acknowledgedState.copy();
      for (int i = taken; i < issuedRecords; i++) {
        state.take(records.get(i));
        if (state.holds(recorded, start, hardState, entries)) {
          return state;
        }
      }
      return null;
    }

    @Override
    public String toString() {
      return "acknowledged up to record %d of %d issued: last index %d, start %s, %s".formatted(
          taken, issuedRecords, acknowledgedState.lastIndex, acknowledgedState.start(), acknowledgedState.hardState);
    }
  }
}
