package dev.kvorum.fuzz;

import dev.kvorum.api.WireFormatException;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.wal.RaftCodec;
import java.util.ArrayList;
import java.util.List;

/// What a log says up to some record: entries and the last hard state.
record WalContent(List<Entry> entries, HardState hardState) {
  /// What a whole log says after each of its records, before the first included.
  static List<WalContent> after(List<WalFiles.Record> records) throws WireFormatException {
    List<WalContent> all = new ArrayList<>();
    List<Entry> entries = new ArrayList<>();
    HardState state = HardState.EMPTY;
    all.add(new WalContent(List.of(), state));
    for (WalFiles.Record record : records) {
      if (record.type() == WalFiles.STATE) {
        state = RaftCodec.decodeHardState(record.data());
      } else if (record.type() == WalFiles.ENTRY) {
        Entry entry = RaftCodec.decodeEntry(record.data());
        while (!entries.isEmpty() && entries.getLast().index() >= entry.index()) {
          entries.removeLast();
        }
        entries.add(entry);
      } else {
        continue;
      }
      all.add(new WalContent(List.copyOf(entries), state));
    }
    return all;
  }
}
