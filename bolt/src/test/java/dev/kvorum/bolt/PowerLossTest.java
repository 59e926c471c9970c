package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The power fails before every single write, sync and resize of random sequences of transactions, and leaves
/// whatever a disk may leave. Each time the file must open, be sound, hold the last acknowledged state or the one being
/// committed, and take a further commit.
///
/// `-Dkvorum.seed=` replays a run, and with `-Dkvorum.crashPoints=1` the one sequence whose seed a failure named; a
/// larger number asks for more crash points than a build has time for.
class PowerLossTest {
  private static final Path FILE = Path.of("/data/db");
  private static final int CRASH_POINTS = 60_000;
  private static final int RANDOM_SURVIVALS = 6;

  private static final BoltOptions PLAIN = BoltOptions.defaults().withInitialMapBytes(0);

  /// What may be found after a crash: acknowledged states by the operation from which on they are to be there.
  private static final class History {
    final TreeMap<Long, Contents> acknowledged = new TreeMap<>();

    void acknowledge(SimDisk disk, Contents state) {
      acknowledged.put(disk.operations(), state);
    }

    /// The state last acknowledged before operation `op`, and the one after it, which may have been under way.
    List<Contents> possible(long op) {
      List<Contents> possible = new ArrayList<>();
      possible.add(acknowledged.floorEntry(op).getValue());
      if (acknowledged.higherEntry(op) != null) {
        possible.add(acknowledged.higherEntry(op).getValue());
      }
      return possible;
    }
  }

  @Test
  void nothingAcknowledgedIsLostWhereverThePowerFails() throws Exception {
    int wanted = Integer.getInteger("kvorum.crashPoints", CRASH_POINTS);
    long[] points = new long[1];
    int sequences = 0;
    long first = Seed.seeds(1)[0];
    for (long seed = first; points[0] < wanted; seed = new SplittableRandom(seed).nextLong()) {
      Seed.run(seed, random -> points[0] += crashEverywhere(random));
      sequences++;
    }
    System.out.println("bolt: " + points[0] + " crash points over " + sequences
        + " sequences of transactions, -Dkvorum.seed=" + first);
  }

  private static long crashEverywhere(SplittableRandom random) throws Exception {
    int pageSize = 1024 << Math.min(random.nextInt(9), random.nextInt(9)) % 7;
    BoltOptions options = PLAIN.withPageSize(pageSize).withSyncFreelist(random.nextBoolean());
    SimDisk disk = new SimDisk();
    disk.createDirectories(FILE.getParent());
    disk.syncDirectory(FILE.getParent());
    disk.syncDirectory(Path.of("/"));
    disk.record();
    long first = disk.operations();
    History history = new History();
    history.acknowledge(disk, new Contents());
    commits(random.split(), disk, options, history);
    long points = 0;
    for (long op = first; op <= disk.operations(); op++) {
      for (Survival survival : Survival.values()) {
        int times = survival == Survival.RANDOM || survival == Survival.RANDOM_TORN ? RANDOM_SURVIVALS : 1;
        for (int i = 0; i < times; i++) {
          try {
            check(disk.afterPowerLoss(op, survival, random), options, history.possible(op), random);
          } catch (Exception | AssertionError e) {
            throw new AssertionError("power lost before operation " + op + ", " + disk.describe(op) + ", leaving "
                + survival + "; pages of " + pageSize, e);
          }
          points++;
        }
      }
    }
    return points;
  }

  /// Some commits and rollbacks, with readers held, and the file closed and opened in between.
  private static void commits(SplittableRandom random, SimDisk disk, BoltOptions options, History history)
      throws Exception {
    Contents state = new Contents();
    RandomChanges changes = new RandomChanges(random, 1 << random.nextInt(4, 10), 1 << random.nextInt(11, 17));
    int operations = 1 << random.nextInt(0, 8);
    Bolt bolt = Bolt.open(disk, FILE, options);
    List<ReadTx> readers = new ArrayList<>();
    int transactions = random.nextInt(4, 16);
    for (int i = 0; i < transactions; i++) {
      WriteTx tx = bolt.beginWrite();
      Contents changed = state.copy();
      changes.make(tx, changed, operations);
      if (random.nextInt(6) == 0) {
        tx.rollback();
      } else {
        tx.commit();
        state = changed;
        history.acknowledge(disk, state);
      }
      if (random.nextInt(3) == 0) {
        readers.add(bolt.beginRead());
      } else if (!readers.isEmpty()) {
        readers.removeFirst().close();
      }
      if (random.nextInt(8) == 0) {
        readers.forEach(ReadTx::close);
        readers.clear();
        bolt.close();
        bolt = Bolt.open(disk, FILE, options.withSyncFreelist(random.nextBoolean()));
      }
    }
    readers.forEach(ReadTx::close);
    bolt.close();
  }

  /// A copy without free pages takes the place of the file, as in a defragmentation: before or after, all is there.
  @Test
  void aCompactionTakesTheFilesPlaceWithoutAMomentInBetween() throws Exception {
    Path temporary = Path.of("/data/db.tmp");
    for (long seed : Seed.seeds(1)) {
      Seed.run(seed, random -> {
        BoltOptions options = PLAIN.withPageSize(1024 << random.nextInt(3));
        SimDisk disk = new SimDisk();
        disk.createDirectories(FILE.getParent());
        disk.syncDirectory(FILE.getParent());
        disk.syncDirectory(Path.of("/"));
        Contents state = fill(disk, options);
        disk.record();
        long first = disk.operations();
        try (Bolt source = Bolt.open(disk, FILE, options); Bolt target = Bolt.open(disk, temporary, options)) {
          try (ReadTx tx = source.beginRead()) {
            Compaction.copy(tx, target);
          }
        }
        disk.rename(temporary, FILE);
        disk.syncDirectory(FILE.getParent());
        for (long op = first; op <= disk.operations(); op++) {
          for (Survival survival : List.of(Survival.NOTHING, Survival.NO_DATA, Survival.RANDOM, Survival.RANDOM_TORN)) {
            SimDisk after = disk.afterPowerLoss(op, survival, random);
            after.delete(temporary);
            check(after, options, List.of(state), random);
          }
        }
        System.out.println("bolt: " + (disk.operations() - first + 1) * 4 + " crash points of a compaction");
      });
    }
  }

  /// More keys than a compaction commits at once.
  private static Contents fill(SimDisk disk, BoltOptions options) throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, options)) {
      for (int i = 0; i < 3; i++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(new byte[] {'b', 0});
          bucket.setSequence(i);
          for (int j = 0; j < 12_000; j++) {
            if (j % 3 == i) {
              bucket.put(new byte[] {'k', (byte) (j >>> 8), (byte) j}, new byte[] {(byte) i});
            }
          }
          tx.commit();
        }
      }
      try (ReadTx tx = bolt.beginRead()) {
        return Contents.of(tx.root());
      }
    }
  }

  private static void check(SimDisk disk, BoltOptions options, List<Contents> possible, SplittableRandom random)
      throws Exception {
    Contents found;
    try (Bolt bolt = Bolt.open(disk, FILE, options)) {
      found = read(bolt);
      assertThat(possible).as("what is found, %s: %s", found, difference(found, possible)).contains(found);
      found = found.copy();
      try (WriteTx tx = bolt.beginWrite()) {
        new RandomChanges(random, 64, 4000).make(tx, found, 6);
        tx.commit();
      }
      assertThat(read(bolt).differenceFrom(found)).isEmpty();
    }
  }

  private static String difference(Contents found, List<Contents> possible) {
    return String.join("; ", possible.stream().map(found::differenceFrom).toList());
  }

  private static Contents read(Bolt bolt) throws Exception {
    try (ReadTx tx = bolt.beginRead()) {
      assertThat(Checker.findings(tx)).isEmpty();
      BoltAudit.check(bolt);
      return Contents.of(tx.root());
    }
  }
}
