package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// A snapshot from the leader: its mark, then the commit index that comes with it, and no entries.
class ReceivedSnapshotTest {
  private static final Path DIRECTORY = Path.of("/wal");

  @Test
  void theCommitIndexThatMakesAMarkCountIsSynced() throws Exception {
    SimDisk disk = new SimDisk();
    WalSnapshot mark = new WalSnapshot(40, 4, ConfState.of(List.of(1L), List.of()));
    Wal wal = Wal.create(disk, DIRECTORY, new WalMetadata(1, 2), WalOptions.DEFAULT);
    wal.append(new HardState(4, 1, 0), List.of());
    wal.sync();
    wal.saveSnapshot(mark);
    wal.append(new HardState(4, 1, 40), List.of());
    assertThat(wal.needsSync()).isTrue();
    wal.sync();
    wal.append(new HardState(4, 1, 41), List.of());
    assertThat(wal.needsSync()).as("a commit index alone").isFalse();

    disk.restart(Survival.NOTHING, new SplittableRandom(1));
    assertThat(Wal.validSnapshots(disk, DIRECTORY).getLast()).isEqualTo(mark);
  }

  /// The log goes on from before it, is cut, and comes to commit what the mark says.
  @Test
  void aMarkThatACrashKeptFromCountingIsFoundInTheSegmentBefore() throws Exception {
    SimDisk disk = new SimDisk();
    WalOptions small = new WalOptions(16 << 10, 4096, false);
    WalSnapshot mark = new WalSnapshot(10, 4, ConfState.of(List.of(1L), List.of()));
    Wal before = Wal.create(disk, DIRECTORY, new WalMetadata(1, 2), small);
    before.append(new HardState(4, 1, 2), entries(1, 5));
    before.sync();
    before.saveSnapshot(mark);
    disk.restart(Survival.NOTHING, new SplittableRandom(1));

    Wal after = Wal.open(disk, DIRECTORY, WalSnapshot.EMPTY, small).wal();
    for (int i = 6; i <= 12; i++) {
      after.append(new HardState(4, 1, i), entries(i, i));
      after.sync();
    }
    after.close();

    assertThat(Wal.validSnapshots(disk, DIRECTORY).getLast()).isEqualTo(mark);
    assertThat(WalReading.read(disk, DIRECTORY, mark).entries()).isEqualTo(entries(11, 12));
    Wal.Opened opened = Wal.open(disk, DIRECTORY, mark, small);
    assertThat(opened.entries()).isEqualTo(entries(11, 12));
    opened.wal().close();
  }

  private static List<Entry> entries(int first, int last) {
    return IntStream.rangeClosed(first, last).mapToObj(i -> WalTest.entry(4, i, 5_000)).toList();
  }
}
