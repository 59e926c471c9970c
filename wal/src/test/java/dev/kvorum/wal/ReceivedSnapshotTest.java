package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.HardState;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
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
}
