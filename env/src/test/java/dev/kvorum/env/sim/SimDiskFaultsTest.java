package dev.kvorum.env.sim;

import static dev.kvorum.env.sim.SimDiskTest.bytes;
import static dev.kvorum.env.sim.SimDiskTest.put;
import static dev.kvorum.env.sim.SimDiskTest.text;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.kvorum.env.Disk.OpenMode;
import dev.kvorum.env.DiskFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class SimDiskFaultsTest {
  private static final Path ROOT = Path.of("/");
  private static final Path F = Path.of("/f");

  private final RandomGenerator random = new SplittableRandom(7);
  private final SimDisk disk = SimDisk.recording();

  @Test
  void aFaultStrikesTheOperationItIsMeantForAndItsNumberIsUsedUp() throws Exception {
    DiskFile file = disk.open(F, OpenMode.CREATE);
    disk.faults(Faults.at(2, Fault.IO_ERROR));
    file.write(bytes("a"), 0);
    assertThatIOException().isThrownBy(() -> file.write(bytes("b"), 0)).withMessage("write /f: Input/output error");
    assertThat(disk.operations()).isEqualTo(3);
    file.write(bytes("c"), 1);
    assertThat(text(disk, F)).isEqualTo("ac");
  }

  @Test
  void everyKindOfOperationCanFail() throws Exception {
    DiskFile file = disk.open(F, OpenMode.CREATE);
    file.write(bytes("a"), 0);
    disk.faults((operation, kind, path, bytes) -> Fault.IO_ERROR);
    assertThatIOException().isThrownBy(() -> file.read(ByteBuffer.allocate(1), 0));
    assertThatIOException().isThrownBy(() -> file.resize(0));
    assertThatIOException().isThrownBy(() -> file.allocate(10));
    assertThatIOException().isThrownBy(() -> disk.open(Path.of("/g"), OpenMode.CREATE));
    assertThatIOException().isThrownBy(() -> disk.createDirectories(Path.of("/d")));
    assertThatIOException().isThrownBy(() -> disk.rename(F, Path.of("/g")));
    assertThatIOException().isThrownBy(() -> disk.delete(F));
    assertThatIOException().isThrownBy(() -> disk.syncDirectory(ROOT));
    assertThatIOException().isThrownBy(() -> disk.list(ROOT));
    disk.faults(Faults.NONE);
    assertThat(disk.list(ROOT)).containsExactly("f");
    assertThat(text(disk, F)).isEqualTo("a");
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.EVERYTHING, random).list(ROOT)).containsExactly("f");
  }

  @Test
  void aShortWriteStoresItsBeginningToTheEndOfASectorAndFails() throws Exception {
    DiskFile file = disk.open(F, OpenMode.CREATE);
    disk.faults(Faults.all(OperationKind.WRITE, new Fault.Short(1100, "No space left on device")));
    assertThatIOException()
        .isThrownBy(() -> file.write(ByteBuffer.allocate(2000).put(0, (byte) 'a'), 100))
        .withMessageContaining("No space left");
    assertThat(disk.contents(F)).hasSize(1024).contains('a', org.assertj.core.data.Index.atIndex(100));
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.EVERYTHING, random).contents(F)).hasSize(1024);
    assertThatIOException().isThrownBy(() -> file.write(ByteBuffer.allocate(2000), 0)).as("1024 fit");
    assertThat(disk.operations()).isEqualTo(3);
  }

  @Test
  void aKilledProcessLeavesItsUnsyncedWritesAndNoLocks() throws Exception {
    DiskFile file = disk.open(F, OpenMode.CREATE);
    assertThat(file.tryRecordLock()).isTrue();
    assertThat(file.tryFlock(false)).isTrue();
    file.write(bytes("abc"), 0);
    disk.syncDirectory(ROOT);
    disk.kill();
    assertThatIOException().isThrownBy(() -> file.write(bytes("x"), 0));
    DiskFile again = disk.open(F, OpenMode.WRITE);
    file.close();
    assertThat(again.tryRecordLock()).isTrue();
    assertThat(again.tryFlock(true)).isTrue();
    assertThat(text(disk, F)).isEqualTo("abc");
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random).contents(F)).isEmpty();
  }

  @Test
  void aFailedSyncLeavesItsDataToChanceAndASecondSyncDoesNotHelp() throws Exception {
    DiskFile file = disk.open(F, OpenMode.CREATE);
    disk.syncDirectory(ROOT);
    file.write(bytes("old"), 0);
    file.sync();
    file.write(bytes("new"), 0);
    disk.faults(Faults.at(disk.operations(), Fault.IO_ERROR));
    assertThatIOException().isThrownBy(file::sync).withMessageContaining("Input/output error");
    file.sync();
    assertThat(text(disk, F)).as("as cached").isEqualTo("new");
    TreeSet<String> seen = new TreeSet<>();
    for (int i = 0; i < 100; i++) {
      seen.add(text(disk.afterPowerLoss(disk.operations(), random), F));
    }
    assertThat(seen).containsExactly("new", "old");

    file.write(bytes("+"), 600);
    file.sync();
    assertThat(text(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random), F))
        .as("another sector was written").startsWith("old").endsWith("+");
    file.write(bytes("N"), 0);
    file.sync();
    assertThat(text(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random), F))
        .as("written again, and synced").startsWith("New").endsWith("+");
  }

  @Test
  void eachOpeningHearsOnceOfASyncThatFailed() throws Exception {
    DiskFile file = disk.open(F, OpenMode.CREATE);
    DiskFile other = disk.open(F, OpenMode.WRITE);
    file.write(bytes("a"), 0);
    disk.faults(Faults.at(disk.operations(), Fault.IO_ERROR));
    assertThatIOException().isThrownBy(file::sync);
    file.sync();
    DiskFile later = disk.open(F, OpenMode.WRITE);
    later.sync();
    assertThatIOException().isThrownBy(other::sync).withMessage("sync /f: Input/output error");
    other.sync();
  }

  @Test
  void aLengthInDoubtIsSettledByALaterSyncedOne() throws Exception {
    DiskFile file = disk.open(F, OpenMode.CREATE);
    disk.syncDirectory(ROOT);
    file.write(bytes("a"), 0);
    file.sync();
    file.allocate(1000);
    disk.faults(Faults.at(disk.operations(), Fault.IO_ERROR));
    assertThatIOException().isThrownBy(file::sync);
    file.sync();
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random).contents(F)).hasSize(1);
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.EVERYTHING, random).contents(F)).hasSize(1000);
    file.write(bytes("z"), 999);
    file.sync();
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random).contents(F)).hasSize(1000);
    file.resize(1500);
    disk.faults(Faults.at(disk.operations(), Fault.IO_ERROR));
    assertThatIOException().isThrownBy(file::sync);
    file.resize(2000);
    file.sync();
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random).contents(F)).hasSize(2000);
  }

  @Test
  void slownessIsHeardOfAndThenTakesItsCourse() throws Exception {
    List<Long> delays = new ArrayList<>();
    disk.onDelay(delays::add);
    DiskFile file = disk.open(F, OpenMode.CREATE);
    disk.faults(Faults.all(OperationKind.SYNC, new Fault.Slow(5_000_000, new Fault.Slow(7, Fault.NONE))));
    file.sync();
    disk.faults(Faults.all(OperationKind.WRITE, new Fault.Slow(9, Fault.NO_SPACE)));
    assertThatIOException().isThrownBy(() -> file.write(bytes("x"), 0)).withMessageContaining("No space left");
    assertThat(delays).containsExactly(5_000_000L, 7L, 9L);
  }

  @Test
  void aRottenReadIsWrongOnceAndRottenStorageIsWrongForGood() throws Exception {
    put(disk, F, "abc");
    DiskFile file = disk.open(F, OpenMode.WRITE);
    DiskFile.Mapping map = file.map(3);
    disk.faults(Faults.all(OperationKind.READ, new Fault.Rot(4, 3)));
    assertThat(text(disk, F)).isEqualTo("aac");
    disk.faults(Faults.NONE);
    assertThat(text(disk, F)).isEqualTo("abc");
    disk.rot(F, 1, 3);
    assertThat(text(disk, F)).isEqualTo("aac");
    assertThat(map.segment().get(JAVA_BYTE, 1)).isEqualTo((byte) 'a');
    file.sync();
    disk.syncDirectory(ROOT);
    assertThat(text(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random), F)).isEqualTo("aac");
    long at = disk.rot(F, random);
    assertThat(disk.contents(F)[(int) at]).isNotEqualTo("aac".getBytes()[(int) at]);
  }

  @Test
  void aFullDiskTakesWhatFitsAndIsEmptierWhenAFileIsGoneAndClosed() throws Exception {
    disk.capacityBytes(1200);
    DiskFile file = disk.open(F, OpenMode.CREATE);
    file.allocate(600);
    DiskFile other = disk.open(Path.of("/g"), OpenMode.CREATE);
    assertThatIOException().isThrownBy(() -> other.allocate(601)).withMessageContaining("No space left on device");
    assertThat(other.size()).isZero();
    assertThatIOException()
        .isThrownBy(() -> other.write(ByteBuffer.allocate(1000), 0))
        .withMessage("write /g: No space left on device");
    assertThat(other.size()).as("as much as there was room for").isEqualTo(512);
    file.write(ByteBuffer.allocate(600), 0);
    disk.delete(F);
    assertThatIOException().isThrownBy(() -> other.allocate(601));
    file.close();
    other.allocate(1200);
    assertThat(disk.usedBytes()).isEqualTo(1200);
    other.resize(10);
    assertThat(disk.usedBytes()).isEqualTo(10);
  }
}
