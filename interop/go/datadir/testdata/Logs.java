import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.env.RealDisk;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.wal.Wal;
import dev.kvorum.wal.WalMetadata;
import dev.kvorum.wal.WalOptions;
import dev.kvorum.wal.WalReading;
import dev.kvorum.wal.WalSnapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Logs of Kvorum's making for the Go tests beside this folder, which run it from source:
///
///  - `write <directory> <seed>` makes a log of several segments, with snapshots and entries replaced by others;
///  - `read <directory>` shows one;
///  - `continue <directory>` opens one to write, repairing it if need be, and appends an entry.
///
/// Each prints what the log holds, one thing a line; `write` from memory.
public final class Logs {
  private static final WalOptions OPTIONS = new WalOptions(64 << 10, 8 << 10, false);
  private static final Disk DISK = new RealDisk();

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "write" -> write(directory, new SplittableRandom(Long.parseLong(arguments[2])));
      case "read" -> read(directory);
      case "continue" -> goOn(directory);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void write(Path directory, SplittableRandom random) throws IOException {
    WalMetadata metadata = new WalMetadata(0x1fe5fea60ea7a394L, 0xe1efa7880d34c317L);
    List<Entry> entries = new ArrayList<>();
    List<WalSnapshot> marks = new ArrayList<>(List.of(WalSnapshot.EMPTY));
    HardState state = HardState.EMPTY;
    try (Wal wal = Wal.create(DISK, directory, metadata, OPTIONS)) {
      for (int batch = 0; batch < 60; batch++) {
        boolean replaces = state.commit() < entries.size() && random.nextInt(6) == 0;
        long term = Math.max(1, state.term() + (replaces ? 1 : 0));
        if (replaces) {
          int from = random.nextInt((int) state.commit(), entries.size());
          entries.subList(from, entries.size()).clear();
        }
        List<Entry> more = new ArrayList<>();
        for (int i = random.nextInt(6); i >= 0; i--) {
          more.add(entry(random, term, entries.size() + more.size() + 1));
        }
        entries.addAll(more);
        long commit = random.nextLong(state.commit(), entries.size() + 1);
        state = new HardState(term, 0x1fe5fea60ea7a394L, commit);
        wal.append(state, more);
        wal.sync();
        if (random.nextInt(8) == 0 && commit > marks.getLast().index()) {
          ConfState members = ConfState.of(List.of(0x1fe5fea60ea7a394L), List.of(7L));
          marks.add(new WalSnapshot(commit, entries.get((int) commit - 1).term(), members));
          wal.saveSnapshot(marks.getLast());
        }
        if (random.nextInt(5) == 0) {
          wal.prepareNext();
        }
      }
    }
    print(metadata, state, entries, marks);
  }

  private static Entry entry(SplittableRandom random, long term, long index) {
    byte[] data = new byte[switch (random.nextInt(10)) {
      case 0 -> 0;
      case 1 -> random.nextInt(90_000); // more than a segment, at times
      case 2 -> random.nextInt(9000);
      default -> random.nextInt(300);
    }];
    random.nextBytes(data);
    EntryType type = data.length == 0 ? EntryType.NORMAL : EntryType.values()[random.nextInt(3)];
    return new Entry(type, term, index, Bytes.wrap(data));
  }

  private static void read(Path directory) throws IOException {
    WalReading.Contents log = WalReading.read(DISK, directory, WalSnapshot.EMPTY);
    print(log.metadata(), log.hardState(), log.entries(), Wal.validSnapshots(DISK, directory));
  }

  private static void goOn(Path directory) throws IOException {
    Wal.Opened opened = Wal.open(DISK, directory, WalSnapshot.EMPTY, OPTIONS);
    try (Wal wal = opened.wal()) {
      Entry more = Entry.normal(opened.hardState().term(), wal.lastIndex() + 1, Bytes.utf8("one more"));
      wal.append(HardState.EMPTY, List.of(more));
      wal.sync();
    }
    System.out.println("repaired " + (opened.brokenCopy() != null));
    read(directory);
  }

  private static void print(WalMetadata metadata, HardState state, List<Entry> entries, List<WalSnapshot> marks) {
    System.out.println("member " + hex(metadata.nodeId()) + " of " + hex(metadata.clusterId()));
    for (WalSnapshot mark : marks) {
      System.out.println("mark " + mark.index() + " " + mark.term() + " " + mark.confState().voters().size());
    }
    for (Entry entry : entries) {
      System.out.println("entry " + entry.type().ordinal() + " " + entry.term() + " " + entry.index() + " "
          + entry.data());
    }
    System.out.println("state " + state.term() + " " + hex(state.vote()) + " " + state.commit());
  }

  private static String hex(long id) {
    return Long.toHexString(id);
  }
}
