package dev.kvorum.fuzz;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.wal.Wal;
import dev.kvorum.wal.WalReading;
import dev.kvorum.wal.WalSnapshot;
import java.io.IOException;
import java.util.List;

/// All that can be done to a log, done to one that may be damaged: reading it, taking it over, and going on.
final class WalExercise {
  private WalExercise() {}

  /// @return what it holds from the start on
  /// @throws IOException when it is refused
  static WalContent of(List<WalFiles.File> files) throws IOException {
    IOException refused = null;
    try {
      for (WalSnapshot snapshot : WalReading.validSnapshots(WalFiles.disk(files), WalFiles.DIRECTORY)) {
        if (snapshot.index() != 0) {
          tryFrom(files, snapshot);
        }
      }
    } catch (IOException e) {
      refused = e;
    }
    WalContent content = from(files, WalSnapshot.EMPTY);
    if (refused != null) {
      throw new AssertionError("a log that reads has no list of snapshots", refused);
    }
    return content;
  }

  private static void tryFrom(List<WalFiles.File> files, WalSnapshot start) {
    try {
      from(files, start);
    } catch (IOException refused) {
      // a log that does not read from one of its snapshots may read from another
    }
  }

  private static WalContent from(List<WalFiles.File> files, WalSnapshot start) throws IOException {
    WalReading.Contents read = WalReading.read(WalFiles.disk(files), WalFiles.DIRECTORY, start);
    WalContent content = new WalContent(read.entries(), read.hardState());
    consecutive(start, content.entries());
    MemoryDisk disk = WalFiles.disk(files);
    Wal.Opened opened = Wal.open(disk, WalFiles.DIRECTORY, start, WalFiles.OPTIONS);
    HardState state;
    Entry fresh;
    try (Wal wal = opened.wal()) {
      agree(content, new WalContent(opened.entries(), opened.hardState()), "opened");
      if (opened.brokenCopy() == null && read.tornTail()) {
        throw new AssertionError("reader and opener differ on whether the tail is torn");
      }
      if (Long.compareUnsigned(wal.lastIndex(), content.hardState().commit()) < 0 || wal.lastIndex() == -1) {
        return content; // read from before its newest mark it lacks what is committed; or no index is left
      }
      fresh = Entry.normal(content.hardState().term() + 1, wal.lastIndex() + 1, Bytes.wrap(new byte[5000]));
      state = new HardState(content.hardState().term() + 1, 7, content.hardState().commit());
      wal.append(state, List.of(fresh));
      wal.sync();
      wal.sync();
    }
    grown(disk, start, content, state, fresh);
    return content;
  }

  private static void grown(
      MemoryDisk disk, WalSnapshot start, WalContent before, HardState state, Entry fresh) throws IOException {
    WalReading.Contents after;
    try {
      after = WalReading.read(disk, WalFiles.DIRECTORY, start);
    } catch (IOException e) {
      throw new AssertionError("a log taken over and appended to does not read", e);
    }
    if (after.tornTail() || !after.hardState().equals(state)) {
      throw new AssertionError("a log taken over and appended to ends as " + after.hardState());
    }
    int kept = after.entries().size() - 1;
    if (kept < 0 || !after.entries().getLast().equals(fresh)
        || !after.entries().subList(0, kept).equals(before.entries())) {
      throw new AssertionError("a log taken over and appended to has other entries");
    }
  }

  private static void consecutive(WalSnapshot start, List<Entry> entries) {
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).index() != start.index() + 1 + i) {
        throw new AssertionError("entry " + entries.get(i).index() + " where " + (start.index() + 1 + i) + " belongs");
      }
    }
  }

  private static void agree(WalContent one, WalContent other, String what) {
    if (!one.equals(other)) {
      throw new AssertionError(what + " says something else");
    }
  }
}
