package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Snapshot;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// Power fails before each single operation of drawn lives of a log, several lives one behind another.
///
/// `-Dkvorum.points=` asks for more crash points, `-Dkvorum.seed=` for the same ones again. A failure names the seed of
/// its own log, with which it comes first.
class WalPowerTest {
  private static final long POINTS = Long.getLong("kvorum.points", 60_000);
  private static final Survival[] UNKIND = {
    Survival.NOTHING, Survival.EVERYTHING, Survival.ONLY_THE_LAST_WRITE, Survival.ALL_BUT_THE_FIRST_WRITE,
    Survival.NO_DATA
  };

  private long points;

  @Test
  void whateverPowerFailureLeavesIsALogWithAllThatWasAcknowledged() throws Exception {
    RandomGenerator seeds = Seeds.seeds("whateverPowerFailureLeavesIsALogWithAllThatWasAcknowledged");
    long begunNanos = cpuNanos();
    int logs = 0;
    while (points < POINTS) {
      long seed = seeds.nextLong();
      try {
        livesOfOneLog(new SplittableRandom(seed));
      } catch (Throwable e) {
        throw new AssertionError("-Dkvorum.seed=" + seed, e);
      }
      logs++;
    }
    long millis = (cpuNanos() - begunNanos) / 1_000_000;
    System.out.printf("%d crash points of %d logs: %d in each second of processor time%n", points, logs,
        points * 1000 / Math.max(1, millis));
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private void livesOfOneLog(SplittableRandom random) throws IOException {
    WalOptions options = LogLife.options(random);
    SimDisk disk = LogLife.newDisk();
    LogHistory.State beginning = new LogHistory.State();
    for (int i = 0; i < 3; i++) {
      disk.record();
      LogLife life = new LogLife(disk, options, random.split(), beginning);
      life.live(10 + random.nextInt(40));
      long continued = random.nextLong(disk.operations() + 1);
      LogHistory.Cursor cursor = life.history.new Cursor();
      SimDisk next = disk;
      for (long operation = 0; operation <= disk.operations(); operation++) {
        cursor.moveTo(operation);
        for (Survival survival : List.of(Survival.RANDOM, Survival.RANDOM, UNKIND[random.nextInt(UNKIND.length)])) {
          SimDisk left = disk.afterPowerLoss(operation, survival, random);
          SimDisk copy = operation == continued ? left.copy() : left;
          LogHistory.State found = check(left, survival, life, cursor, operation, random);
          points++;
          if (operation == continued) {
            next = copy;
            beginning = found;
          }
        }
      }
      disk = next;
    }
  }

  private static LogHistory.State check(
      SimDisk left, Survival survival, LogLife life, LogHistory.Cursor cursor, long operation, RandomGenerator random) {
    try {
      return check(left, life, cursor, operation, random);
    } catch (Throwable e) {
      throw new AssertionError("%s survived a power failure before operation %d (%s), %s"
          .formatted(survival, operation, life.disk.describe(operation), cursor), e);
    }
  }

  /// The log opens, holds what it must, and goes on. @return what it holds
  static LogHistory.State check(
      SimDisk disk, LogLife life, LogHistory.Cursor cursor, long operation, RandomGenerator random)
      throws IOException {
    if (!Wal.exists(disk, LogLife.DIRECTORY)) {
      assertThat(life.history.exists(operation)).as("the log is gone").isFalse();
      Wal.create(disk, LogLife.DIRECTORY, WalTest.METADATA, life.options).close();
      return new LogHistory.State();
    }
    List<WalSnapshot> marks = Wal.validSnapshots(disk, LogLife.DIRECTORY);
    WalSnapshot start = marks.getLast();
    WalReading.Contents seen = WalReading.read(disk, LogLife.DIRECTORY, start);
    Wal.Opened opened = Wal.open(disk, LogLife.DIRECTORY, start, life.options);
    assertThat(opened.metadata()).isEqualTo(WalTest.METADATA);
    assertThat(opened.entries().equals(seen.entries())).as("read and opened alike").isTrue();
    assertThat(opened.hardState()).isEqualTo(seen.hardState());
    assertThat(opened.brokenCopy() != null || !seen.tornTail()).as("what is torn is kept").isTrue();
    LogHistory.State found = cursor.match(LogLife.recordedMarks(disk), start, opened.hardState(), opened.entries());
    if (found == null) {
      throw new AssertionError("the log holds what it never held: start %s, %s, entries %s".formatted(
          start, opened.hardState(), opened.entries().stream().map(e -> e.term() + "/" + e.index()).toList()));
    }
    checkSnapshotFile(disk, life, marks, start);
    goOn(disk, life.options, start, opened, random);
    return found.opened(start);
  }

  private static void checkSnapshotFile(SimDisk disk, LogLife life, List<WalSnapshot> marks, WalSnapshot start)
      throws IOException {
    SnapStore store = new SnapStore(disk, LogLife.SNAPSHOTS);
    Snapshot loaded = store.loadNewest(marks);
    if (start.index() > 0) {
      assertThat(loaded).as("the file of the last mark").isNotNull();
      // later than the start when its mark is older, from before a crash, and its commit was learnt of only since
      assertThat(loaded.index()).isGreaterThanOrEqualTo(start.index());
      assertThat(life.history.mayHold(loaded)).as("as it was written").isTrue();
    }
    assertThat(disk.list(LogLife.SNAPSHOTS)).as("nothing half written bears a snapshot's name")
        .noneMatch(name -> name.endsWith(".broken"));
  }

  private static void goOn(
      SimDisk disk, WalOptions options, WalSnapshot start, Wal.Opened opened, RandomGenerator random)
      throws IOException {
    List<Entry> expected = new ArrayList<>(opened.entries());
    HardState state = new HardState(opened.hardState().term() + 1, 7, opened.hardState().commit());
    try (Wal wal = opened.wal()) {
      for (int i = random.nextInt(2); i >= 0; i--) {
        Entry more = WalTest.entry(state.term(), wal.lastIndex() + 1, random.nextInt(4) == 0 ? 20_000 : 50);
        wal.append(state, List.of(more));
        wal.sync();
        expected.add(more);
      }
    }
    Wal.Opened again = Wal.open(disk, LogLife.DIRECTORY, start, options);
    again.wal().close();
    assertThat(again.brokenCopy()).as("what was closed is whole").isNull();
    assertThat(again.entries().equals(expected))
        .as("opened again: %d entries, then %d", expected.size(), again.entries().size())
        .isTrue();
    assertThat(again.hardState()).isEqualTo(state);
  }

  /// Disks that tear sectors are beyond what the format can tell from rot: the log may then refuse, but not lie.
  @Test
  void tornSectorsNeverChangeWhatWasAcknowledged() throws Exception {
    RandomGenerator seeds = Seeds.seeds("tornSectorsNeverChangeWhatWasAcknowledged");
    int refused = 0;
    int crashes = 0;
    while (crashes < POINTS / 10) {
      long seed = seeds.nextLong();
      SplittableRandom random = new SplittableRandom(seed);
      SimDisk disk = LogLife.newDisk();
      disk.record();
      LogLife life = new LogLife(disk, LogLife.options(random), random.split(), new LogHistory.State());
      life.live(40);
      LogHistory.Cursor cursor = life.history.new Cursor();
      for (long operation = 0; operation <= disk.operations(); operation++) {
        cursor.moveTo(operation);
        crashes++;
        try {
          check(disk.afterPowerLoss(operation, Survival.RANDOM_TORN, random), life, cursor, operation, random);
        } catch (CorruptionException clean) {
          refused++;
        } catch (Throwable e) {
          throw new AssertionError("-Dkvorum.seed=%d: before operation %d (%s), %s"
              .formatted(seed, operation, disk.describe(operation), cursor), e);
        }
      }
    }
    System.out.printf("%d of %d logs with torn sectors were refused%n", refused, crashes);
    assertThat(refused).isLessThan(crashes / 2);
  }
}
