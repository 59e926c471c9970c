package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.sim.Fault;
import dev.kvorum.env.sim.Faults;
import dev.kvorum.env.sim.OperationKind;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// A write, sync or resize fails, is short or finds no space: each one of a sequence of transactions in turn. The
/// commit under way says so, the database takes no more, readers read on; and once it is opened again all that was
/// acknowledged is there, and stays there though the power should fail now.
///
/// `-Dkvorum.seed=` replays one sequence, `-Dkvorum.failingSequences=` asks for more of them.
class FailingDiskTest {
  private static final Path FILE = Path.of("/data/db");
  private static final BoltOptions PLAIN = BoltOptions.defaults().withInitialMapBytes(0);

  private static final List<Fault> FAULTS =
      List.of(Fault.IO_ERROR, Fault.NO_SPACE, new Fault.Short(700, "No space left on device"));

  /// What a run came to.
  private static final class Run {
    final SimDisk disk = new SimDisk();
    Contents acknowledged = new Contents();
    Contents underWay = acknowledged;
    long firstOperation;
    boolean failed;
  }

  @Test
  void aFailureAtAnyOperationLosesNothingAcknowledged() throws Exception {
    long[] failures = new long[2];
    for (long seed : Seed.seeds(Integer.getInteger("kvorum.failingSequences", 3))) {
      Seed.run(seed, random -> failEverywhere(seed, random, failures));
    }
    System.out.println("bolt: " + failures[0] + " failed operations, " + failures[1] + " crash points after them");
  }

  private static void failEverywhere(long seed, SplittableRandom random, long[] failures) throws Exception {
    BoltOptions options = PLAIN.withPageSize(1024 << random.nextInt(3)).withSyncFreelist(random.nextBoolean());
    Run whole = run(new SplittableRandom(seed), options, Faults.NONE);
    for (long op = whole.firstOperation; op < whole.disk.operations(); op++) {
      for (Fault fault : FAULTS) {
        Run run = run(new SplittableRandom(seed), options, Faults.at(op, fault));
        try {
          assertThat(run.failed).isTrue();
          failures[0]++;
          failures[1] += reopenAndCrash(run, options, random);
        } catch (Exception | AssertionError e) {
          throw new AssertionError(fault + " at operation " + op, e);
        }
      }
    }
  }

  /// Commits until one fails. A given seed makes the same changes each time.
  private static Run run(SplittableRandom random, BoltOptions options, Faults faults) throws Exception {
    Run run = new Run();
    run.disk.createDirectories(FILE.getParent());
    run.disk.syncDirectory(FILE.getParent());
    run.disk.syncDirectory(Path.of("/"));
    run.firstOperation = run.disk.operations();
    run.disk.faults(faults);
    RandomChanges changes = new RandomChanges(random, 1 << random.nextInt(4, 9), 1 << random.nextInt(11, 16));
    try (Bolt bolt = Bolt.open(run.disk, FILE, options)) {
      for (int i = 0; i < 6 && !run.failed; i++) {
        WriteTx tx = bolt.beginWrite();
        run.underWay = run.acknowledged.copy();
        changes.make(tx, run.underWay, 60);
        try {
          tx.commit();
          run.acknowledged = run.underWay;
        } catch (IOException e) {
          run.failed = true;
          assertUnusableButReadable(bolt, run.acknowledged);
        }
      }
    } catch (IOException e) {
      run.failed = true; // at opening
    }
    run.disk.faults(Faults.NONE);
    return run;
  }

  private static void assertUnusableButReadable(Bolt bolt, Contents acknowledged) throws Exception {
    assertThatThrownBy(bolt::beginWrite)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("unusable")
        .hasMessageContaining(FILE.toString())
        .hasRootCauseInstanceOf(IOException.class);
    try (ReadTx tx = bolt.beginRead()) {
      assertThat(Contents.of(tx.root()).differenceFrom(acknowledged)).isEmpty();
    }
  }

  /// Opens the file again in the same machine, which may have written more or less than it keeps, and commits twice;
  /// then the power fails at each operation of that.
  private static long reopenAndCrash(Run run, BoltOptions options, SplittableRandom random) throws Exception {
    SimDisk disk = run.disk;
    disk.record();
    long first = disk.operations();
    List<Contents> states = new ArrayList<>(List.of(run.acknowledged, run.underWay));
    List<Long> since = new ArrayList<>(List.of(first, first));
    try (Bolt bolt = Bolt.open(disk, FILE, options)) {
      Contents state = read(bolt);
      assertThat(states).contains(state);
      for (int i = 0; i < 2; i++) {
        state = state.copy();
        try (WriteTx tx = bolt.beginWrite()) {
          new RandomChanges(random, 64, 4000).make(tx, state, 40);
          tx.commit();
        }
        states.add(state);
        since.add(disk.operations());
      }
    }
    long points = 0;
    for (long op = first; op <= disk.operations(); op++) {
      for (Survival survival : Survival.values()) {
        try (Bolt bolt = Bolt.open(disk.afterPowerLoss(op, survival, random), FILE, options)) {
          Contents found = read(bolt);
          // the first two are both possible until a later one is acknowledged
          int least = 0;
          for (int i = 2; i < states.size(); i++) {
            least = since.get(i) <= op ? i : least;
          }
          assertThat(states.subList(least, states.size())).contains(found);
        } catch (Exception | AssertionError e) {
          throw new AssertionError(
              "then power lost before " + op + ", " + disk.describe(op) + ", leaving " + survival, e);
        }
        points++;
      }
    }
    return points;
  }

  private static Contents read(Bolt bolt) throws Exception {
    try (ReadTx tx = bolt.beginRead()) {
      assertThat(Checker.findings(tx)).isEmpty();
      BoltAudit.check(bolt);
      return Contents.of(tx.root());
    }
  }

  @Test
  void dataIsSyncedBeforeTheMetaPageAndTheMetaPageBeforeCommitReturns() throws Exception {
    SimDisk disk = new SimDisk();
    List<OperationKind> kinds = new ArrayList<>();
    try (Bolt bolt = Bolt.open(disk, Path.of("/db"), PLAIN)) {
      bolt.beginWrite().commit();
      disk.faults((operation, kind, path, bytes) -> {
        if (kind != OperationKind.RESIZE && (kinds.isEmpty() || kinds.getLast() != kind)) {
          kinds.add(kind);
        }
        return Fault.NONE;
      });
      try (WriteTx tx = bolt.beginWrite()) {
        tx.createBucket(new byte[] {'b'}).put(new byte[] {'k'}, new byte[500_000]);
        assertThat(kinds).isEmpty();
        tx.commit();
      }
    }
    assertThat(kinds)
        .containsExactly(OperationKind.WRITE, OperationKind.SYNC, OperationKind.WRITE, OperationKind.SYNC);
  }
}
