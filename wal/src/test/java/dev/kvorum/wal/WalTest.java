package dev.kvorum.wal;

import static dev.kvorum.wal.RaftCodecTest.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.env.RealDisk;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalTest {
  static final WalMetadata METADATA = new WalMetadata(0x1fe5fea60ea7a394L, 0xe1efa7880d34c317L);
  static final WalOptions SMALL = new WalOptions(64 << 10, 4096, false);
  static final ConfState ONE_VOTER = ConfState.of(List.of(1L), List.of());

  @TempDir Path root;
  private final Disk disk = new RealDisk();
  private Path directory;

  @BeforeEach
  void place() {
    directory = root.resolve("wal");
  }

  static Entry entry(long term, long index, int size) {
    byte[] data = new byte[size];
    Arrays.fill(data, (byte) (index + 1));
    return Entry.normal(term, index, Bytes.wrap(data));
  }

  static List<Entry> entries(long term, long first, int count, int size) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      entries.add(entry(term, first + i, size));
    }
    return entries;
  }

  private Wal create(WalOptions options) throws IOException {
    return Wal.create(disk, directory, METADATA, options);
  }

  private Wal.Opened open(WalSnapshot start) throws IOException {
    return Wal.open(disk, directory, start, SMALL);
  }

  private static void save(Wal wal, HardState state, List<Entry> entries) throws IOException {
    wal.append(state, entries);
    wal.sync();
  }

  @Test
  void aNewLogBeginsAsEtcds() throws Exception {
    assertThat(Wal.exists(disk, directory)).isFalse();
    create(WalOptions.DEFAULT).close();
    assertThat(Wal.exists(disk, directory)).isTrue();
    assertThat(disk.list(root)).containsExactly("wal");
    assertThat(disk.list(directory)).containsExactly("0000000000000000-0000000000000000.wal");
    Path file = directory.resolve("0000000000000000-0000000000000000.wal");
    assertThat(Files.size(file)).isEqualTo(64_000_000);
    try (DiskFile opened = disk.open(file, Disk.OpenMode.READ)) {
      byte[] head = new byte[0x58];
      opened.readFully(java.nio.ByteBuffer.wrap(head), 0);
      assertThat(hex(head)).isEqualTo(("04000000000000840804100000000000"
          + "1f00000000000081 0801109fce96840c1a150894c79ef5e0d4fff21f109786d3e980f1e9f7e101 00"
          + "0e00000000000082 08051099fccde10f1a0408001000 0000"
          + "0000000000000000").replace(" ", ""));
    }
  }

  @Test
  void aDirectoryWithALogIsNotOverwritten() throws Exception {
    create(SMALL).close();
    assertThatExceptionOfType(FileAlreadyExistsException.class).isThrownBy(() -> create(SMALL));
  }

  @Test
  void whatWasAppendedIsReadBack() throws Exception {
    HardState state = new HardState(2, 7, 3);
    List<Entry> entries = List.of(
        entry(1, 1, 0), entry(1, 2, 1), entry(2, 3, 255), entry(2, 4, 20_000), entry(2, 5, 4096), entry(2, 6, 9));
    try (Wal wal = create(SMALL)) {
      save(wal, state, entries.subList(0, 3));
      save(wal, HardState.EMPTY, entries.subList(3, 6));
      assertThat(wal.writtenBytes()).isPositive();
    }
    try (Wal wal = open(WalSnapshot.EMPTY).wal()) {
      assertThat(wal.lastIndex()).isEqualTo(6);
    }
    Wal.Opened opened = open(WalSnapshot.EMPTY);
    opened.wal().close();
    assertThat(opened.metadata()).isEqualTo(METADATA);
    assertThat(opened.hardState()).isEqualTo(state);
    assertThat(opened.entries()).isEqualTo(entries);
    assertThat(opened.brokenCopy()).isNull();
    WalReading.Contents read = WalReading.read(disk, directory, WalSnapshot.EMPTY);
    assertThat(read.entries()).isEqualTo(entries);
    assertThat(read.tornTail()).isFalse();
  }

  @Test
  void onlyEntriesTermAndVoteNeedASync() throws Exception {
    try (Wal wal = create(SMALL)) {
      assertThat(wal.needsSync()).isFalse();
      wal.append(new HardState(1, 1, 0), List.of());
      assertThat(wal.needsSync()).isTrue();
      wal.sync();
      wal.append(new HardState(1, 1, 1), List.of());
      assertThat(wal.needsSync()).isFalse();
      wal.append(HardState.EMPTY, List.of());
      assertThat(wal.needsSync()).isFalse();
      wal.append(new HardState(1, 2, 1), List.of());
      assertThat(wal.needsSync()).isTrue();
      wal.sync();
      wal.append(HardState.EMPTY, entries(1, 1, 1, 1));
      assertThat(wal.needsSync()).isTrue();
    }
  }

  @Test
  void segmentsFollowOneAnother() throws Exception {
    WalOptions options = new WalOptions(4_000_000, 1 << 20, false);
    HardState state = new HardState(2, 1, 0);
    List<Entry> all = entries(2, 1, 13, 1_000_000);
    try (Wal wal = Wal.create(disk, directory, METADATA, options)) {
      save(wal, state, List.of());
      for (Entry entry : all) {
        save(wal, HardState.EMPTY, List.of(entry));
      }
    }
    assertThat(disk.list(directory)).containsExactly(
        "0000000000000000-0000000000000000.wal",
        "0000000000000001-0000000000000005.wal",
        "0000000000000002-0000000000000009.wal",
        "0000000000000003-000000000000000d.wal");
    assertThat(Files.size(directory.resolve("0000000000000000-0000000000000000.wal")))
        .isBetween(4_000_000L, 4_001_000L);
    assertThat(Files.size(directory.resolve("0000000000000003-000000000000000d.wal"))).isEqualTo(4_000_000L);
    Wal.Opened opened = Wal.open(disk, directory, WalSnapshot.EMPTY, options);
    assertThat(opened.entries()).isEqualTo(all);
    assertThat(opened.hardState()).isEqualTo(state);
    save(opened.wal(), HardState.EMPTY, entries(2, 14, 5, 1_000_000));
    opened.wal().close();
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).entries()).hasSize(18);
  }

  @Test
  void laterRecordsOverrideEarlierOnes() throws Exception {
    try (Wal wal = create(SMALL)) {
      save(wal, new HardState(1, 1, 0), entries(1, 1, 5, 10));
      save(wal, new HardState(2, 2, 0), entries(2, 3, 1, 10));
      assertThat(wal.lastIndex()).isEqualTo(3);
    }
    List<Entry> expected = new ArrayList<>(entries(1, 1, 2, 10));
    expected.addAll(entries(2, 3, 1, 10));
    Wal.Opened opened = open(WalSnapshot.EMPTY);
    opened.wal().close();
    assertThat(opened.entries()).isEqualTo(expected);
    assertThat(opened.hardState()).isEqualTo(new HardState(2, 2, 0));
  }

  @Test
  void readingStartsBehindASnapshot() throws Exception {
    try (Wal wal = create(SMALL)) {
      save(wal, new HardState(1, 1, 5), entries(1, 1, 10, 10));
      wal.saveSnapshot(new WalSnapshot(5, 1, ONE_VOTER));
      wal.saveSnapshot(new WalSnapshot(9, 1, ONE_VOTER));
    }
    assertThat(Wal.validSnapshots(disk, directory))
        .containsExactly(WalSnapshot.EMPTY, new WalSnapshot(5, 1, ONE_VOTER));
    Wal.Opened opened = open(WalSnapshot.at(5, 1));
    opened.wal().close();
    assertThat(opened.entries()).isEqualTo(entries(1, 6, 5, 10));
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> open(WalSnapshot.at(6, 1)))
        .withMessage("wal: snapshot not found");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> open(WalSnapshot.at(5, 2)))
        .withMessageContaining("wal: snapshot mismatch");
    open(WalSnapshot.at(5, 1)).wal().close();
  }

  /// Reading begins behind a snapshot, but what came later in the file may have cut the log back to before it.
  @Test
  void entriesCutBackToBeforeTheStartDoNotComeBack() throws Exception {
    try (Wal wal = create(SMALL)) {
      save(wal, new HardState(1, 1, 3), entries(1, 1, 30, 10));
      save(wal, new HardState(2, 1, 5), entries(2, 4, 2, 10));
      wal.saveSnapshot(new WalSnapshot(5, 2, ONE_VOTER));
    }
    Wal.Opened opened = open(WalSnapshot.at(5, 2));
    opened.wal().close();
    assertThat(opened.entries()).isEmpty();
    assertThat(opened.wal().lastIndex()).isEqualTo(5);
  }

  @Test
  void nothingFollowsASnapshotOfAnotherLog() throws Exception {
    WalSnapshot fromTheLeader = new WalSnapshot(5, 2, ONE_VOTER);
    try (Wal wal = create(SMALL)) {
      save(wal, new HardState(1, 1, 3), entries(1, 1, 30, 10));
      wal.saveSnapshot(fromTheLeader);
      save(wal, new HardState(2, 0, 5), List.of());
    }
    Wal.Opened opened = open(fromTheLeader);
    assertThat(opened.entries()).isEmpty();
    try (Wal wal = opened.wal()) {
      assertThat(wal.lastIndex()).isEqualTo(5);
      save(wal, HardState.EMPTY, entries(2, 6, 1, 10));
    }
    assertThat(WalReading.read(disk, directory, fromTheLeader).entries()).isEqualTo(entries(2, 6, 1, 10));
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).entries()).hasSize(6);
  }

  @Test
  void aSnapshotFromTheLeaderMayLieBeyondTheLog() throws Exception {
    try (Wal wal = create(SMALL)) {
      save(wal, new HardState(1, 0, 2), entries(1, 1, 3, 10));
      wal.saveSnapshot(new WalSnapshot(100, 3, ONE_VOTER));
      save(wal, new HardState(3, 0, 100), entries(3, 101, 2, 10));
    }
    Wal.Opened opened = open(Wal.validSnapshots(disk, directory).getLast());
    opened.wal().close();
    assertThat(opened.entries()).isEqualTo(entries(3, 101, 2, 10));
  }

  @Test
  void gapsAndSnapshotsWithoutVotersAreOurBugs() throws Exception {
    try (Wal wal = create(SMALL)) {
      assertThatExceptionOfType(InvariantViolation.class)
          .isThrownBy(() -> wal.saveSnapshot(WalSnapshot.at(1, 1)))
          .withMessageContaining("missing ConfState");
      assertThatExceptionOfType(InvariantViolation.class)
          .isThrownBy(() -> wal.append(HardState.EMPTY, entries(1, 2, 1, 1)))
          .withMessageContaining("gap");
      assertThatExceptionOfType(WalException.class).isThrownBy(wal::sync);
    }
  }

  @Test
  void aLogIsHeldByOneAtATime() throws Exception {
    Wal wal = create(SMALL);
    save(wal, HardState.EMPTY, entries(1, 1, 1, 1));
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> open(WalSnapshot.EMPTY))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(WalException.Reason.LOCKED));
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).entries()).hasSize(1);
    wal.close();
    wal.close();
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> wal.append(HardState.EMPTY, List.of()))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(WalException.Reason.STOPPED));
    open(WalSnapshot.EMPTY).wal().close();
  }

  @Test
  void purgeRemovesOnlyReleasedSegments() throws Exception {
    Wal wal = create(SMALL);
    for (int i = 0; i < 6; i++) {
      save(wal, new HardState(1, 1, i), entries(1, 1 + i, 1, 70_000));
    }
    assertThat(disk.list(directory)).hasSize(7);
    assertThat(WalReading.purge(disk, directory, 3)).isEmpty();
    wal.saveSnapshot(new WalSnapshot(4, 1, ONE_VOTER));
    wal.releaseTo(4);
    assertThat(WalReading.purge(disk, directory, 0)).isEmpty();
    assertThat(WalReading.purge(disk, directory, 3)).containsExactly(
        "0000000000000000-0000000000000000.wal",
        "0000000000000001-0000000000000002.wal");
    assertThat(WalReading.purge(disk, directory, 1)).isEmpty();
    save(wal, new HardState(1, 1, 6), List.of());
    wal.close();
    assertThat(Wal.validSnapshots(disk, directory)).containsExactly(new WalSnapshot(4, 1, ONE_VOTER));
    try (Wal again = open(WalSnapshot.at(4, 1)).wal()) {
      assertThat(again.lastIndex()).isEqualTo(6);
      again.releaseTo(1000);
      assertThat(WalReading.purge(disk, directory, 1)).hasSize(4);
    }
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> open(WalSnapshot.EMPTY))
        .withMessage("wal: file not found which matches the snapshot index '0'");
  }

  @Test
  void aMissingSegmentIsNoticed() throws Exception {
    try (Wal wal = create(SMALL)) {
      for (int i = 0; i < 3; i++) {
        save(wal, new HardState(1, 1, i), entries(1, 1 + i, 1, 70_000));
      }
    }
    disk.delete(directory.resolve("0000000000000001-0000000000000002.wal"));
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> open(WalSnapshot.EMPTY))
        .withMessage("wal: file sequence numbers (starting from 0) do not increase continuously");
  }

  @Test
  void sparesAreMadeAheadUsedAndCleanedUp() throws Exception {
    Wal wal = create(SMALL);
    assertThat(wal.wantsNext()).isTrue();
    wal.prepareNext();
    assertThat(wal.wantsNext()).isFalse();
    assertThat(disk.list(directory)).contains("0.tmp");
    save(wal, HardState.EMPTY, entries(1, 1, 1, 70_000));
    assertThat(disk.list(directory)).doesNotContain("0.tmp");
    assertThat(wal.wantsNext()).isTrue();
    assertThat(wal.writeAhead(1 << 20)).isNull();
    wal.prepareNext();
    assertThat(disk.list(directory)).contains("1.tmp");
    wal.close();
    wal.prepareNext();
    assertThat(disk.list(directory)).allMatch(name -> name.endsWith(".wal")).hasSize(2);
    Files.write(directory.resolve("1.tmp"), new byte[10]);
    open(WalSnapshot.EMPTY).wal().close();
    assertThat(disk.list(directory)).allMatch(name -> name.endsWith(".wal"));
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).entries()).hasSize(1);
  }

  /// The smallest; what fills it begins a few bytes before a page ends, which is all that whole pages make room of.
  @Test
  void recordsFitThroughABufferOfOnePageWhereverTheyBegin() throws Exception {
    WalOptions options = new WalOptions(64 << 10, 4096, false);
    for (int first = 3_800; first < 4_100; first += 4) {
      for (int size = 0; size < 40; size += 5) {
        SimDisk simulated = new SimDisk();
        List<Entry> all = new ArrayList<>(entries(1, 1, 1, first));
        all.addAll(entries(1, 2, 120, size));
        try (Wal wal = Wal.create(simulated, directory, METADATA, options)) {
          save(wal, HardState.EMPTY, all.subList(0, 1));
          save(wal, HardState.EMPTY, all.subList(1, all.size()));
        }
        assertThat(WalReading.read(simulated, directory, WalSnapshot.EMPTY).entries()).isEqualTo(all);
      }
    }
  }

  @Test
  void zerosAreWrittenAheadAndNeverOverRecords() throws Exception {
    WalOptions options = new WalOptions(4 << 20, 64 << 10, false);
    List<Entry> all = entries(1, 1, 80, 60_000);
    try (Wal wal = Wal.create(disk, directory, METADATA, options)) {
      for (Entry entry : all) {
        Runnable step = wal.writeAhead(256 << 10);
        assertThat(step == null || wal.writeAhead(1) == null).as("one step at a time").isTrue();
        boolean late = entry.index() % 3 == 0;
        if (step != null && !late) {
          step.run();
        }
        save(wal, HardState.EMPTY, List.of(entry));
        if (step != null && late) {
          step.run();
        }
      }
    }
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).entries()).isEqualTo(all);
  }

  @Test
  void aStepLeftWaitingIsCalledOffWhenTheTailReachesIt() throws Exception {
    WalOptions options = new WalOptions(2 << 20, 64 << 10, false);
    List<Entry> all = entries(1, 1, 12, 100_000);
    try (Wal wal = Wal.create(disk, directory, METADATA, options)) {
      Runnable step = wal.writeAhead(1 << 20);
      assertThat(step).isNotNull();
      save(wal, HardState.EMPTY, all);
      step.run();
    }
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).entries()).isEqualTo(all);
  }

  @Test
  void workersPreparingAheadNeverDisturbTheLog() throws Exception {
    WalOptions options = new WalOptions(1 << 20, 64 << 10, false);
    List<Entry> all = entries(1, 1, 250, 20_000);
    LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread worker = Thread.ofPlatform().start(() -> work(tasks, failure));
    try (Wal wal = Wal.create(disk, directory, METADATA, options)) {
      for (Entry entry : all) {
        if (wal.wantsNext()) {
          tasks.add(() -> prepare(wal));
        }
        Runnable step = wal.writeAhead(64 << 10);
        if (step != null) {
          tasks.add(step);
        }
        save(wal, HardState.EMPTY, List.of(entry));
      }
    } finally {
      tasks.add(STOP);
      worker.join();
    }
    assertThat(failure.get()).isNull();
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).entries()).isEqualTo(all);
    assertThat(disk.list(directory)).allMatch(name -> name.endsWith(".wal"));
  }

  private static final Runnable STOP = () -> {};

  private static void work(LinkedBlockingQueue<Runnable> tasks, AtomicReference<Throwable> failure) {
    try {
      for (Runnable task = tasks.take(); task != STOP; task = tasks.take()) {
        task.run();
      }
    } catch (Throwable e) {
      failure.set(e);
    }
  }

  private static void prepare(Wal wal) {
    try {
      wal.prepareNext();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void anUnsyncedCommitIsStillWrittenOnClose() throws Exception {
    try (Wal wal = create(SMALL)) {
      save(wal, new HardState(1, 1, 0), entries(1, 1, 1, 1));
      wal.append(new HardState(1, 1, 1), List.of());
      wal.sync();
    }
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).hardState()).isEqualTo(new HardState(1, 1, 1));
  }
}
