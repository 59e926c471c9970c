package dev.kvorum.wal;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.sim.PowerLoss;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// One life of a log and its snapshot files, as a member with much imagination leads it, from opening on. All it does
/// is drawn from `random` and written into a [LogHistory].
final class LogLife {
  static final Path MEMBER = Path.of("/data/member");
  static final Path DIRECTORY = MEMBER.resolve("wal");
  static final Path SNAPSHOTS = MEMBER.resolve("snap");

  final SimDisk disk;
  final LogHistory history;
  final WalOptions options;
  private final RandomGenerator random;
  private final SnapStore snapStore;
  private LogHistory.State state;
  private @Nullable Wal wal;

  LogLife(SimDisk disk, WalOptions options, RandomGenerator random, LogHistory.State beginning) {
    this.disk = disk;
    this.options = options;
    this.random = random;
    history = new LogHistory(beginning);
    state = beginning.copy();
    snapStore = new SnapStore(disk, SNAPSHOTS);
  }

  static SimDisk newDisk() throws IOException {
    SimDisk disk = new SimDisk();
    disk.createDirectories(SNAPSHOTS);
    disk.syncDirectory(MEMBER);
    disk.syncDirectory(MEMBER.getParent());
    disk.syncDirectory(MEMBER.getRoot());
    return disk.copy();
  }

  static WalOptions options(RandomGenerator random) {
    return new WalOptions(8L * random.nextInt(512, 4096), 4096 + random.nextInt(8192), false);
  }

  /// Opens (or makes) the log and works on it.
  void live(int steps) throws IOException {
    begin();
    for (int i = 0; i < steps; i++) {
      step();
    }
    if (random.nextBoolean()) {
      close();
    }
  }

  private void begin() throws IOException {
    snapStore.removeTemporaries();
    if (!Wal.exists(disk, DIRECTORY)) {
      wal = Wal.create(disk, DIRECTORY, WalTest.METADATA, options);
    } else {
      List<WalSnapshot> marks = Wal.validSnapshots(disk, DIRECTORY);
      WalSnapshot start = marks.getLast();
      Wal.Opened opened = Wal.open(disk, DIRECTORY, start, options);
      wal = opened.wal();
      LogHistory.Cursor cursor = history.new Cursor();
      cursor.moveTo(disk.operations());
      LogHistory.State found = cursor.match(recordedMarks(disk), start, opened.hardState(), opened.entries());
      if (found == null) {
        throw new AssertionError("a log opened again, with its power on, is another: start %s, %s, entries %s; %s".formatted(
            start, opened.hardState(), opened.entries().stream().map(e -> e.term() + "/" + e.index()).toList(), cursor)
            + history.tail(25));
      }
      state = found.opened(start);
      history.issue(disk.operations(), state.copy());
    }
    history.created(disk.operations());
    history.acknowledge(disk.operations());
  }

  private void step() throws IOException {
    switch (random.nextInt(32)) {
      case 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 -> appendSome();
      case 11, 12 -> commitMore();
      case 13 -> conflict();
      case 14 -> vote();
      case 15, 16 -> tolerating(wal::prepareNext);
      case 17, 18, 19 -> writeAhead();
      case 20, 21 -> snapshot();
      case 22 -> snapshotFromTheLeader();
      case 23 -> tolerating(this::purge);
      case 24 -> tolerating(this::receiveDatabase);
      case 25 -> {
        close();
        begin();
      }
      case 26 -> {
        disk.kill();
        begin();
      }
      default -> sync();
    }
  }

  /// All marks in the log's files, valid or not.
  static List<WalSnapshot> recordedMarks(SimDisk disk) throws IOException {
    List<DiskFile> files = new ArrayList<>();
    for (SegmentName name : SegmentName.list(disk, DIRECTORY)) {
      files.add(disk.open(DIRECTORY.resolve(name.file()), Disk.OpenMode.READ));
    }
    Replay replay = Replay.snapshotsOf(files);
    replay.run();
    WalOpening.closeAll(files);
    return replay.recordedSnapshots();
  }

  private interface Work {
    void run() throws IOException;
  }

  /// What fails in upkeep is tried again another time; the log is well.
  private static void tolerating(Work work) throws IOException {
    try {
      work.run();
    } catch (PowerLoss e) {
      throw e;
    } catch (IOException e) {
      // as the log loop does
    }
  }

  /// The log as it is, to be asked whether it knows that it has failed. Null when it was never made.
  @Nullable Wal wal() {
    return wal;
  }

  private void append(HardState hardState, List<Entry> entries) throws IOException {
    for (Entry entry : entries) {
      issue(entry);
    }
    if (!hardState.isEmpty()) {
      issue(hardState);
    }
    wal.append(hardState, entries);
  }

  private void issue(Object record) {
    history.issue(disk.operations(), record);
    state.take(record);
  }

  private void sync() throws IOException {
    boolean needed = wal.needsSync();
    wal.sync();
    if (needed) {
      history.acknowledge(disk.operations());
    }
  }

  private void appendSome() throws IOException {
    long term = Math.max(1, state.hardState.term());
    List<Entry> entries = new ArrayList<>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      entries.add(entry(term, state.lastIndex + 1 + entries.size()));
    }
    HardState next = state.hardState.isEmpty() || random.nextInt(3) == 0
        ? new HardState(term, state.hardState.vote(), state.hardState.commit())
        : HardState.EMPTY;
    append(next, entries);
    if (random.nextInt(3) != 0) {
      sync();
    }
  }

  private Entry entry(long term, long index) {
    int size = switch (random.nextInt(12)) {
      case 0 -> 0;
      case 1, 2 -> random.nextInt(3000);
      case 3 -> random.nextInt((int) options.segmentBytes() * 2);
      default -> random.nextInt(120);
    };
    byte[] data = new byte[size];
    switch (random.nextInt(4)) {
      case 0 -> {} // zeros
      case 1 -> java.util.Arrays.fill(data, (byte) index);
      default -> random.nextBytes(data);
    }
    return new Entry(size > 0 && random.nextInt(20) == 0 ? EntryType.CONF_CHANGE : EntryType.NORMAL, term, index,
        Bytes.wrap(data));
  }

  private void commitMore() throws IOException {
    HardState now = state.hardState;
    long commit = random.nextLong(now.commit(), Math.max(now.commit(), committable()) + 1);
    if (now.term() > 0) {
      append(new HardState(now.term(), now.vote(), commit), List.of());
    }
  }

  /// A mark beyond the commit tells of an entry that is committed elsewhere: ours there, if it is another, never will be.
  private long committable() {
    long limit = state.lastIndex;
    for (WalSnapshot mark : state.marks) {
      Entry ours = state.entries.get(mark.index());
      if (mark.index() > state.hardState.commit() && (ours == null || ours.term() != mark.term())) {
        limit = Math.min(limit, mark.index() - 1);
      }
    }
    return limit;
  }

  /// Another leader has other entries than ours from somewhere behind the commit on.
  private void conflict() throws IOException {
    HardState now = state.hardState;
    if (now.term() == 0 || now.commit() >= state.lastIndex) {
      return;
    }
    long from = random.nextLong(now.commit() + 1, state.lastIndex + 1);
    append(new HardState(now.term() + 1, 0, now.commit()), List.of(entry(now.term() + 1, from)));
    if (random.nextBoolean()) {
      sync();
    }
  }

  private void vote() throws IOException {
    append(new HardState(state.hardState.term() + 1, random.nextLong(), state.hardState.commit()), List.of());
    sync();
  }

  private void writeAhead() {
    Runnable step = wal.writeAhead(1024 << random.nextInt(5));
    if (step != null && random.nextInt(4) != 0) {
      step.run();
    }
  }

  private void snapshot() throws IOException {
    long index = state.hardState.commit();
    if (index > state.start().index() && state.entries.containsKey(index)) {
      mark(new WalSnapshot(index, state.entries.get(index).term(), WalTest.ONE_VOTER));
      wal.releaseTo(index);
    }
  }

  private void mark(WalSnapshot mark) throws IOException {
    byte[] data = new byte[1 + random.nextInt(3000)];
    random.nextBytes(data);
    Snapshot snapshot = new Snapshot(Bytes.wrap(data), mark.confState(), mark.index(), mark.term());
    history.file(snapshot);
    snapStore.save(snapshot);
    issue(mark);
    wal.saveSnapshot(mark);
    history.acknowledge(disk.operations());
  }

  /// Beyond our log, or within it and of another term: what we have counts no more.
  private void snapshotFromTheLeader() throws IOException {
    HardState now = state.hardState;
    long known = Math.max(now.commit(), state.marks.stream().mapToLong(WalSnapshot::index).max().orElse(0));
    boolean within = state.lastIndex > known && random.nextBoolean();
    long index = within
        ? random.nextLong(known + 1, state.lastIndex + 1)
        : Math.max(known, state.lastIndex) + 1 + random.nextInt(5);
    long term = Math.max(now.term(), state.marks.stream().mapToLong(WalSnapshot::term).max().orElse(0)) + 1;
    mark(new WalSnapshot(index, term, WalTest.ONE_VOTER));
    state.lastIndex = index;
    append(new HardState(term, 0, index), List.of());
    sync();
    if (random.nextBoolean()) {
      append(HardState.EMPTY, List.of(entry(term, index + 1)));
      sync();
      wal.releaseTo(index);
    }
  }

  private void purge() throws IOException {
    WalReading.purge(disk, DIRECTORY, 1 + random.nextInt(3));
    snapStore.purge(2 + random.nextInt(2));
  }

  private void receiveDatabase() throws IOException {
    long index = state.lastIndex + random.nextInt(3);
    try (SnapStore.Receipt receipt = snapStore.receiveDatabase(index)) {
      for (int i = random.nextInt(4); i >= 0; i--) {
        receipt.write(ByteBuffer.allocate(random.nextInt(2000)));
      }
      if (random.nextInt(3) != 0) {
        receipt.keep();
      }
    }
    snapStore.releaseDatabasesBefore(Math.max(0, index - random.nextInt(10)));
  }

  private void close() throws IOException {
    wal.close();
    history.acknowledge(disk.operations());
  }
}
