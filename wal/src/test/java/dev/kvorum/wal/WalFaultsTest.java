package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvorum.env.sim.Fault;
import dev.kvorum.env.sim.Faults;
import dev.kvorum.env.sim.OperationKind;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// Disks that fail: the log says so, stops, and what it had acknowledged stays.
class WalFaultsTest {
  private static final long POINTS = Long.getLong("kvorum.points", 60_000) / 12;
  private static final WalOptions OPTIONS = new WalOptions(16 << 10, 4096, false);

  private static Wal create(SimDisk disk, WalOptions options) throws IOException {
    return Wal.create(disk, LogLife.DIRECTORY, WalTest.METADATA, options);
  }

  /// Each operation of drawn lives fails once, in each of several ways; then comes a crash of one kind or another.
  @Test
  void aFailureOfAnyOperationLosesNothingThatWasAcknowledged() throws Exception {
    RandomGenerator seeds = Seeds.seeds("aFailureOfAnyOperationLosesNothingThatWasAcknowledged");
    long points = 0;
    while (points < POINTS) {
      long seed = seeds.nextLong();
      LogLife well = life(seed, Faults.NONE);
      well.live(30);
      for (long operation = 0; operation < well.disk.operations(); operation++) {
        for (Fault fault : List.of(Fault.IO_ERROR, new Fault.Short(700, "No space left on device"))) {
          points++;
          try {
            failAt(seed, operation, fault);
          } catch (Throwable e) {
            throw new AssertionError("-Dkvorum.seed=%d: %s at operation %d".formatted(seed, fault, operation), e);
          }
        }
      }
    }
  }

  private static LogLife life(long seed, Faults faults) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    SimDisk disk = LogLife.newDisk();
    disk.record();
    disk.faults(faults);
    return new LogLife(disk, LogLife.options(random), random.split(), new LogHistory.State());
  }

  private static void failAt(long seed, long operation, Fault fault) throws IOException {
    LogLife life = life(seed, Faults.at(operation, fault));
    SimDisk disk = life.disk;
    try {
      life.live(30);
    } catch (IOException e) {
      assertThat(e).hasMessageMatching("(?s).*(Input/output error|No space left on device|an earlier write failed).*");
      closeStopped(life.wal());
    }
    disk.faults(Faults.NONE);
    SplittableRandom random = new SplittableRandom(seed + operation);
    LogHistory.Cursor cursor = life.history.new Cursor();
    cursor.moveTo(disk.operations());
    for (Survival survival : List.of(Survival.RANDOM, Survival.NOTHING, Survival.EVERYTHING)) {
      SimDisk left = disk.afterPowerLoss(disk.operations(), survival, random);
      WalPowerTest.check(left, life, cursor, disk.operations(), random);
    }
    startAgainAndLosePower(life, cursor, random);
  }

  /// A second process on the same machine reads what the first one wrote, be it on the disk or not.
  private static void startAgainAndLosePower(LogLife life, LogHistory.Cursor cursor, RandomGenerator random)
      throws IOException {
    SimDisk disk = life.disk;
    disk.kill();
    if (!Wal.exists(disk, LogLife.DIRECTORY)) {
      return;
    }
    WalSnapshot start = Wal.validSnapshots(disk, LogLife.DIRECTORY).getLast();
    Wal.Opened opened = Wal.open(disk, LogLife.DIRECTORY, start, life.options);
    assertThat(cursor.match(LogLife.recordedMarks(disk), start, opened.hardState(), opened.entries())).isNotNull();
    SimDisk left = disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random);
    WalReading.Contents after = WalReading.read(left, LogLife.DIRECTORY, start);
    assertThat(after.entries().equals(opened.entries()))
        .as("what was read once is durable: %d entries, then %d", opened.entries().size(), after.entries().size())
        .isTrue();
    assertThat(after.hardState()).isEqualTo(opened.hardState());
  }

  private static void closeStopped(Wal wal) {
    if (wal != null) {
      try {
        wal.close();
      } catch (IOException e) {
        // it was to let go, not to succeed
      }
    }
  }

  @Test
  void afterAFailedSyncNothingMoreIsAccepted() throws Exception {
    SimDisk disk = LogLife.newDisk();
    Wal wal = create(disk, OPTIONS);
    wal.append(HardState.EMPTY, WalTest.entries(1, 1, 1, 10));
    disk.faults(Faults.all(OperationKind.SYNC, Fault.IO_ERROR));
    assertThatExceptionOfType(IOException.class).isThrownBy(wal::sync).withMessageEndingWith("Input/output error");
    disk.faults(Faults.NONE);
    assertStopped(wal);
    wal.close();
  }

  @Test
  void afterAFailedOrShortWriteNothingMoreIsAccepted() throws Exception {
    for (Fault fault : List.of(Fault.NO_SPACE, new Fault.Short(512, "No space left on device"))) {
      SimDisk disk = LogLife.newDisk();
      Wal wal = create(disk, OPTIONS);
      wal.append(HardState.EMPTY, WalTest.entries(1, 1, 1, 2000));
      disk.faults(Faults.at(disk.operations(), fault));
      assertThatExceptionOfType(IOException.class).isThrownBy(wal::sync).withMessageContaining("No space left");
      assertStopped(wal);
      wal.close();
      try (Wal again = Wal.open(disk, LogLife.DIRECTORY, WalSnapshot.EMPTY, OPTIONS).wal()) {
        assertThat(again.lastIndex()).isZero();
      }
    }
  }

  private static void assertStopped(Wal wal) {
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(wal::sync)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(WalException.Reason.STOPPED))
        .withCauseInstanceOf(IOException.class);
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> wal.append(HardState.EMPTY, WalTest.entries(1, 2, 1, 10)));
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> wal.saveSnapshot(new WalSnapshot(1, 1, WalTest.ONE_VOTER)));
    assertThat(wal.writeAhead(4096)).isNull();
  }

  @Test
  void aFailedWriteAheadFailsTheNextSync() throws Exception {
    SimDisk disk = LogLife.newDisk();
    Wal wal = create(disk, new WalOptions(1 << 20, 4096, false));
    Runnable step = wal.writeAhead(4096);
    assertThat(step).isNotNull();
    disk.faults(Faults.all(OperationKind.WRITE, Fault.IO_ERROR));
    step.run();
    disk.faults(Faults.NONE);
    assertThat(wal.writeAhead(4096)).isNull();
    wal.append(HardState.EMPTY, WalTest.entries(1, 1, 1, 10));
    assertThatExceptionOfType(IOException.class).isThrownBy(wal::sync).withMessageEndingWith("Input/output error");
    wal.close();
  }

  @Test
  void aSpareThatCannotBeMadeDoesNotHurtTheLog() throws Exception {
    SimDisk disk = LogLife.newDisk();
    Wal wal = create(disk, OPTIONS);
    disk.capacityBytes(disk.usedBytes() + 1000);
    assertThatExceptionOfType(IOException.class).isThrownBy(wal::prepareNext).withMessageContaining("No space left");
    assertThat(disk.list(LogLife.DIRECTORY)).hasSize(1);
    disk.capacityBytes(Long.MAX_VALUE);
    assertThat(wal.wantsNext()).isTrue();
    wal.append(HardState.EMPTY, WalTest.entries(1, 1, 1, 20_000));
    wal.sync();
    wal.close();
  }

  /// A record that is cut inside a sector looks rotten, not torn. So no sector may be written in two parts.
  @Test
  void whatDoesNotFitTheBufferIsWrittenInWholeSectors() throws Exception {
    SimDisk disk = LogLife.newDisk();
    WalOptions options = new WalOptions(1 << 20, 5000, false);
    Wal wal = create(disk, options);
    List<Long> lengths = new ArrayList<>();
    disk.faults((operation, kind, path, bytes) -> {
      if (kind == OperationKind.WRITE) {
        lengths.add(bytes);
      }
      return Fault.NONE;
    });
    long head = 80;
    wal.append(HardState.EMPTY, WalTest.entries(1, 1, 40, 777));
    wal.sync();
    assertThat(lengths).hasSizeGreaterThan(5);
    long end = head;
    for (long length : lengths.subList(0, lengths.size() - 1)) {
      end += length;
      assertThat(end % 512).isZero();
    }
    assertThat(wal.writtenBytes() + head).isEqualTo(end + lengths.getLast());
    wal.close();
  }

  @Test
  void whatAFailedSyncLeftInMemoryIsWrittenAgainBeforeItIsBelieved() throws Exception {
    SimDisk disk = LogLife.newDisk();
    disk.record();
    List<Entry> entries = WalTest.entries(1, 1, 5, 300);
    Wal wal = create(disk, OPTIONS);
    wal.append(HardState.EMPTY, entries);
    disk.faults(Faults.all(OperationKind.SYNC, Fault.IO_ERROR));
    assertThatExceptionOfType(IOException.class).isThrownBy(wal::sync);
    disk.faults(Faults.NONE);
    disk.kill();
    Wal.Opened opened = Wal.open(disk, LogLife.DIRECTORY, WalSnapshot.EMPTY, OPTIONS);
    assertThat(opened.entries()).isEqualTo(entries);
    SimDisk left = disk.afterPowerLoss(disk.operations(), Survival.NOTHING, new SplittableRandom(0));
    assertThat(WalReading.read(left, LogLife.DIRECTORY, WalSnapshot.EMPTY).entries()).isEqualTo(entries);
  }

  /// Killed between a rename and the sync of its directory, wherever that is.
  @Test
  void namesThatAKilledProcessMadeAreDurableOnceTheLogIsOpen() throws Exception {
    for (boolean first : List.of(true, false)) {
      SimDisk disk = LogLife.newDisk();
      disk.record();
      List<Entry> entries = WalTest.entries(1, 1, 1, 20_000);
      Faults namesAreNotSynced = Faults.all(OperationKind.SYNC_DIRECTORY, Fault.IO_ERROR);
      Wal wal = null;
      if (!first) {
        wal = create(disk, OPTIONS);
        wal.append(HardState.EMPTY, entries);
        wal.sync();
        entries = WalTest.entries(1, 1, 2, 20_000);
        wal.append(HardState.EMPTY, entries.subList(1, 2));
      }
      disk.faults(first ? Faults.at(disk.operations() + 7, Fault.IO_ERROR) : namesAreNotSynced);
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(first ? () -> create(disk, OPTIONS) : wal::sync)
          .withMessageStartingWith("sync_directory");
      disk.faults(Faults.NONE);
      disk.kill();
      Wal again = Wal.open(disk, LogLife.DIRECTORY, WalSnapshot.EMPTY, OPTIONS).wal();
      again.append(HardState.EMPTY, List.of(WalTest.entry(1, again.lastIndex() + 1, 10)));
      again.sync();
      SimDisk left = disk.afterPowerLoss(disk.operations(), Survival.NOTHING, new SplittableRandom(0));
      assertThat(WalReading.read(left, LogLife.DIRECTORY, WalSnapshot.EMPTY).entries())
          .hasSize((int) again.lastIndex());
    }
  }

  @Test
  void aDatabaseReceivedTwiceIsDurableThoughTheFirstReceiverWasKilled() throws Exception {
    SimDisk disk = LogLife.newDisk();
    disk.record();
    SnapStore store = new SnapStore(disk, LogLife.SNAPSHOTS);
    try (SnapStore.Receipt receipt = store.receiveDatabase(7)) {
      receipt.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      disk.faults(Faults.all(OperationKind.SYNC_DIRECTORY, Fault.IO_ERROR));
      assertThatExceptionOfType(IOException.class).isThrownBy(receipt::keep);
    }
    disk.faults(Faults.NONE);
    disk.kill();
    Path kept;
    try (SnapStore.Receipt receipt = new SnapStore(disk, LogLife.SNAPSHOTS).receiveDatabase(7)) {
      receipt.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      kept = receipt.keep();
    }
    SimDisk left = disk.afterPowerLoss(disk.operations(), Survival.NOTHING, new SplittableRandom(0));
    assertThat(left.contents(kept)).containsExactly(1, 2, 3);
  }

  @Test
  void moreThanOneSyncShouldCoverIsSyncedOnTheWay() throws Exception {
    SimDisk disk = LogLife.newDisk();
    Wal wal = create(disk, WalOptions.DEFAULT);
    long[] syncs = {0};
    disk.faults((operation, kind, path, bytes) -> {
      syncs[0] += kind == OperationKind.SYNC ? 1 : 0;
      return Fault.NONE;
    });
    for (int i = 1; i <= 40; i++) {
      wal.append(HardState.EMPTY, List.of(WalTest.entry(1, i, 1 << 20)));
    }
    assertThat(syncs[0]).isEqualTo(2);
    wal.close();
  }

  @Test
  void manyEntriesThatWaitForOneSyncAllReadBack() throws Exception {
    SimDisk disk = LogLife.newDisk();
    List<Entry> entries = WalTest.entries(1, 1, 300, 777);
    try (Wal wal = create(disk, new WalOptions(1 << 20, 4096, false))) {
      wal.append(new HardState(1, 1, 300), entries);
      wal.sync();
    }
    assertThat(WalReading.read(disk, LogLife.DIRECTORY, WalSnapshot.EMPTY).entries()).isEqualTo(entries);
    assertThat(disk.exists(Path.of("/data/member/wal.tmp"))).isFalse();
  }
}
