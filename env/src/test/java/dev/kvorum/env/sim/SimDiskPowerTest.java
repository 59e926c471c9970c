package dev.kvorum.env.sim;

import static dev.kvorum.env.sim.SimDiskTest.bytes;
import static dev.kvorum.env.sim.SimDiskTest.put;
import static dev.kvorum.env.sim.SimDiskTest.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Disk.OpenMode;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class SimDiskPowerTest {
  private static final Path ROOT = Path.of("/");
  private static final Path F = Path.of("/f");
  private static final Path G = Path.of("/g");
  private static final int SECTOR = 512;

  private final RandomGenerator random = new SplittableRandom(7);
  private final SimDisk disk = new SimDisk();

  private static ByteBuffer filled(int length, char with) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) with);
    return ByteBuffer.wrap(bytes);
  }

  /// A durable file of three sectors of `a`.
  private DiskFile durableFile() throws IOException {
    DiskFile file = disk.open(F, OpenMode.CREATE_NEW);
    file.write(filled(3 * SECTOR, 'a'), 0);
    file.sync();
    disk.syncDirectory(ROOT);
    return file;
  }

  private static String sectors(SimDisk disk) throws IOException {
    byte[] all = disk.contents(F);
    StringBuilder text = new StringBuilder();
    for (int at = 0; at < all.length; at += SECTOR) {
      text.append(all[at] == 0 ? '-' : (char) all[at]);
    }
    return text.toString();
  }

  @Test
  void oncePowerIsLostEverythingThrowsUntilItIsBackAndOldOpeningsStayDead() throws Exception {
    DiskFile file = durableFile();
    disk.losePowerAt(disk.operations() + 1);
    file.write(bytes("b"), 0);
    assertThatExceptionOfType(PowerLoss.class).isThrownBy(() -> file.write(bytes("b"), 1));
    assertThat(disk.isOff()).isTrue();
    assertThatExceptionOfType(PowerLoss.class).isThrownBy(() -> file.read(ByteBuffer.allocate(1), 0));
    assertThatExceptionOfType(PowerLoss.class).isThrownBy(file::sync);
    assertThatExceptionOfType(PowerLoss.class).isThrownBy(() -> disk.open(F, OpenMode.READ));
    assertThatExceptionOfType(PowerLoss.class).isThrownBy(() -> disk.list(ROOT));
    assertThatExceptionOfType(PowerLoss.class).isThrownBy(() -> disk.createDirectories(ROOT.resolve("d")));
    assertThat(disk.exists(F)).isFalse();
    disk.restart(Survival.EVERYTHING, random);
    assertThatExceptionOfType(PowerLoss.class).isThrownBy(() -> file.read(ByteBuffer.allocate(1), 0));
    file.close();
    assertThat(text(disk, F)).startsWith("baa");
  }

  @Test
  void locksDoNotOutliveAPowerLoss() throws Exception {
    DiskFile file = durableFile();
    assertThat(file.tryFlock(true)).isTrue();
    assertThat(file.tryRecordLock()).isTrue();
    disk.losePower();
    disk.restart(random);
    DiskFile again = disk.open(F, OpenMode.WRITE);
    assertThat(again.tryFlock(true)).isTrue();
    assertThat(again.tryRecordLock()).isTrue();
  }

  @Test
  void theFixedSurvivalsKeepExactlyWhatTheySay() throws Exception {
    DiskFile file = durableFile();
    disk.record();
    file.write(filled(SECTOR, 'b'), 0);
    file.write(filled(2 * SECTOR, 'c'), SECTOR);
    file.write(filled(SECTOR, 'd'), 4 * SECTOR);
    long now = disk.operations();
    assertThat(sectors(disk.afterPowerLoss(now, Survival.NOTHING, random))).isEqualTo("aaa");
    assertThat(sectors(disk.afterPowerLoss(now, Survival.EVERYTHING, random))).isEqualTo("bcc-d");
    assertThat(sectors(disk.afterPowerLoss(now, Survival.ONLY_THE_LAST_WRITE, random))).isEqualTo("aaa-d");
    assertThat(sectors(disk.afterPowerLoss(now, Survival.ALL_BUT_THE_FIRST_WRITE, random))).isEqualTo("acc-d");
    assertThat(sectors(disk.afterPowerLoss(now, Survival.NO_DATA, random))).isEqualTo("aaa--");
    assertThat(sectors(disk.afterPowerLoss(now - 1, Survival.EVERYTHING, random))).isEqualTo("bcc");
    assertThat(sectors(disk)).isEqualTo("bcc-d");
  }

  @Test
  void anySubsetOfUnsyncedSectorsAndLengthsSurvives() throws Exception {
    DiskFile file = durableFile();
    disk.record();
    file.write(filled(2 * SECTOR, 'b'), 0);
    file.write(filled(2 * SECTOR, 'c'), 2 * SECTOR);
    TreeSet<String> seen = new TreeSet<>();
    for (int i = 0; i < 2000; i++) {
      seen.add(sectors(disk.afterPowerLoss(disk.operations(), random)));
    }
    TreeSet<String> possible = new TreeSet<>();
    for (String first : List.of("aa", "ab", "ba", "bb")) {
      for (String third : List.of("a", "c")) {
        for (String fourth : List.of("", "-", "c")) {
          possible.add(first + third + fourth);
        }
      }
    }
    assertThat(seen).isEqualTo(possible);
  }

  @Test
  void aSectorWrittenSeveralTimesHoldsAnyOfItsVersions() throws Exception {
    DiskFile file = durableFile();
    disk.record();
    file.write(filled(SECTOR, 'b'), 0);
    file.write(filled(SECTOR, 'c'), 0);
    file.write(filled(SECTOR, 'd'), 0);
    TreeSet<String> seen = new TreeSet<>();
    for (int i = 0; i < 500; i++) {
      seen.add(sectors(disk.afterPowerLoss(disk.operations(), random)));
    }
    assertThat(seen).containsExactly("aaa", "baa", "caa", "daa");
  }

  @Test
  void aSectorIsAtomicUnlessTearingIsAskedFor() throws Exception {
    DiskFile file = durableFile();
    disk.record();
    file.write(filled(SECTOR, 'b'), 0);
    boolean torn = false;
    for (int i = 0; i < 500; i++) {
      SimDisk left = disk.afterPowerLoss(disk.operations(), random);
      byte[] sector = Arrays.copyOf(left.contents(F), SECTOR);
      assertThat(sector).containsOnly(sector[0]);
      byte[] worse = disk.afterPowerLoss(disk.operations(), Survival.RANDOM_TORN, random).contents(F);
      torn |= worse[0] != worse[SECTOR - 1];
    }
    assertThat(torn).isTrue();
  }

  @Test
  void lengthsSurviveInTheirOrderAndWhatASurvivingTruncationCutOffStaysGone() throws Exception {
    DiskFile file = durableFile();
    disk.record();
    file.resize(SECTOR);
    file.allocate(4 * SECTOR);
    TreeSet<String> seen = new TreeSet<>();
    for (int i = 0; i < 500; i++) {
      seen.add(sectors(disk.afterPowerLoss(disk.operations(), random)));
    }
    assertThat(seen).containsExactly("a", "a---", "aaa");
  }

  @Test
  void syncedDataSurvivesWithoutItsNameAndANameWithoutItsData() throws Exception {
    disk.record();
    DiskFile file = disk.open(F, OpenMode.CREATE_NEW);
    file.write(bytes("data"), 0);
    file.sync();
    SimDisk left = disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random);
    assertThat(left.exists(F)).isFalse();
    DiskFile other = disk.open(G, OpenMode.CREATE_NEW);
    other.write(bytes("data"), 0);
    disk.syncDirectory(ROOT);
    left = disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random);
    assertThat(text(left, F)).isEqualTo("data");
    assertThat(left.contents(G)).isEmpty();
  }

  @Test
  void anyPrefixOfADirectorysChangesSurvives() throws Exception {
    put(disk, F, "f");
    disk.syncDirectory(ROOT);
    disk.record();
    put(disk, G, "g");
    disk.rename(F, Path.of("/h"));
    disk.delete(G);
    disk.createDirectories(Path.of("/d/e"));
    TreeSet<String> seen = new TreeSet<>();
    for (int i = 0; i < 500; i++) {
      SimDisk left = disk.afterPowerLoss(disk.operations(), random);
      String names = String.join(" ", left.list(ROOT));
      seen.add(left.exists(Path.of("/d/e")) ? names + "+e" : names);
    }
    assertThat(seen).containsExactly("d h", "d h+e", "f", "f g", "g h", "h");
  }

  @Test
  void aRenameAcrossDirectoriesHappensInBothOrInNeither() throws Exception {
    Path from = Path.of("/from");
    Path to = Path.of("/to");
    disk.createDirectories(from);
    disk.createDirectories(to);
    put(disk, from.resolve("x"), "x");
    disk.syncDirectory(from);
    disk.syncDirectory(ROOT);
    disk.record();
    put(disk, to.resolve("before"), "");
    disk.rename(from.resolve("x"), to.resolve("x"));
    put(disk, from.resolve("after"), "");
    TreeSet<String> seen = new TreeSet<>();
    for (int i = 0; i < 500; i++) {
      SimDisk left = disk.afterPowerLoss(disk.operations(), random);
      seen.add(left.list(from) + " " + left.list(to));
    }
    assertThat(seen).containsExactly("[] [before, x]", "[after] [before, x]", "[x] []", "[x] [before]");

    disk.syncDirectory(from);
    SimDisk left = disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random);
    assertThat(left.list(to)).as("the other half of a durable rename").containsExactly("before", "x");
  }

  @Test
  void aDeletedFileMayComeBackWithAllItHadSynced() throws Exception {
    DiskFile file = durableFile();
    disk.record();
    file.close();
    disk.delete(F);
    assertThat(sectors(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random))).isEqualTo("aaa");
    disk.syncDirectory(ROOT);
    assertThat(disk.afterPowerLoss(disk.operations(), Survival.NOTHING, random).exists(F)).isFalse();
  }

  @Test
  void onlyWhatWasRecordedCanBeAskedFor() throws Exception {
    durableFile();
    assertThatIllegalArgumentException().isThrownBy(() -> disk.afterPowerLoss(1, random));
    disk.record();
    assertThatIllegalArgumentException().isThrownBy(() -> disk.afterPowerLoss(1, random));
    assertThatThrownBy(() -> disk.store(F, new byte[0])).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void operationsAreDescribedForMessages() throws Exception {
    disk.record();
    DiskFile file = durableFile();
    file.resize(1);
    assertThat(disk.describe(0)).isEqualTo("CREATE /f");
    assertThat(disk.describe(2)).isEqualTo("SYNC /f");
    assertThat(disk.describe(disk.operations() - 1)).isEqualTo("RESIZE /f");
  }

  /// Random work on one file, against a plain list of what each sector has held since the last sync.
  @Test
  void everySectorAlwaysHoldsAVersionNoOlderThanTheLastSync() throws Exception {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    System.out.println("seed " + seed);
    SplittableRandom work = new SplittableRandom(seed);
    for (int round = 0; round < 50; round++) {
      SimDisk recorded = SimDisk.recording();
      DiskFile file = recorded.open(F, OpenMode.CREATE_NEW);
      recorded.syncDirectory(ROOT);
      TreeMap<Long, List<TreeSet<String>>> allowed = new TreeMap<>();
      List<TreeSet<String>> versions = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        versions.add(new TreeSet<>(List.of("")));
      }
      for (int op = 0; op < 40; op++) {
        if (work.nextInt(6) == 0) {
          file.sync();
          forgetAllButTheLatest(versions, recorded);
        } else {
          int at = work.nextInt(10 * SECTOR);
          file.write(filled(1 + work.nextInt(2 * SECTOR), (char) ('a' + work.nextInt(26))), at);
          note(versions, recorded);
        }
        List<TreeSet<String>> copy = new ArrayList<>();
        versions.forEach(version -> copy.add(new TreeSet<>(version)));
        allowed.put(recorded.operations(), copy);
      }
      for (long op : allowed.keySet()) {
        for (Survival survival : List.of(Survival.RANDOM, Survival.ONLY_THE_LAST_WRITE, Survival.NOTHING)) {
          byte[] left = recorded.afterPowerLoss(op, survival, work).contents(F);
          for (int i = 0; i * SECTOR < left.length; i++) {
            String sector = sector(left, i);
            assertThat(allowed.get(op).get(i)).as("seed %d, sector %d", seed, i).anyMatch(
                version -> version.startsWith(sector) || sector.startsWith(version)
                    && sector.substring(version.length()).chars().allMatch(c -> c == 0));
          }
        }
      }
    }
  }

  private static String sector(byte[] all, int i) {
    int from = i * SECTOR;
    return from >= all.length
        ? ""
        : new String(all, from, Math.min(SECTOR, all.length - from), StandardCharsets.ISO_8859_1);
  }

  private static void note(List<TreeSet<String>> versions, SimDisk disk) throws IOException {
    byte[] all = disk.contents(F);
    for (int i = 0; i < versions.size(); i++) {
      versions.get(i).add(sector(all, i));
    }
  }

  private static void forgetAllButTheLatest(List<TreeSet<String>> versions, SimDisk disk) throws IOException {
    versions.forEach(TreeSet::clear);
    note(versions, disk);
  }
}
