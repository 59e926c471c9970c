package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Power goes before each single change on the disk, and everything must still be there that was synced.
class WalCrashTest {
  private static final Path MEMBER = Path.of("/member");
  private static final Path DIRECTORY = MEMBER.resolve("wal");
  private static final WalOptions OPTIONS = new WalOptions(16 << 10, 4096, false);

  /// What a member believes: what it may have written, and how much of that it was told is durable.
  private static final class Belief {
    boolean created;
    List<Entry> written = new ArrayList<>();
    int durable;
    long durableTerm;

    void append(Wal wal, long term, List<Entry> entries) throws IOException {
      int keep = (int) entries.getFirst().index() - 1;
      List<Entry> next = new ArrayList<>(written.subList(0, keep));
      next.addAll(entries);
      durable = Math.min(durable, keep);
      written = next;
      wal.append(new HardState(term, 1, 0), entries);
      wal.sync();
      durable = written.size();
      durableTerm = term;
    }
  }

  private static CrashDisk disk() throws IOException {
    CrashDisk disk = new CrashDisk();
    disk.createDirectories(MEMBER);
    disk.syncDirectory(Path.of("/"));
    return disk;
  }

  /// Makes a log, fills some segments with and without spares, cuts back once, records snapshots.
  private static void live(CrashDisk disk, Belief belief) throws IOException {
    Wal wal = Wal.create(disk, DIRECTORY, WalTest.METADATA, OPTIONS);
    belief.created = true;
    belief.append(wal, 1, WalTest.entries(1, 1, 3, 1000));
    Runnable step = wal.writeAhead(4096);
    if (step != null) {
      step.run();
    }
    belief.append(wal, 1, WalTest.entries(1, 4, 12, 1200));
    wal.prepareNext();
    belief.append(wal, 2, WalTest.entries(2, 13, 4, 5000));
    belief.append(wal, 3, WalTest.entries(3, 17, 2, 300));
    wal.saveSnapshot(new WalSnapshot(10, 1, WalTest.ONE_VOTER));
    belief.append(wal, 3, WalTest.entries(3, 19, 5, 2000));
    wal.close();
  }

  @Test
  void everySyncedRecordSurvivesPowerLossAnywhere() throws Exception {
    SplittableRandom random = Seeds.random("everySyncedRecordSurvivesPowerLossAnywhere");
    CrashDisk rehearsal = disk();
    rehearsal.cutPowerAt(Long.MAX_VALUE);
    live(rehearsal, new Belief());
    long changes = rehearsal.changes();
    assertThat(changes).isGreaterThan(30);
    for (long cut = 0; cut <= changes; cut++) {
      for (int variant = 0; variant < 12; variant++) {
        CrashDisk disk = disk();
        Belief belief = new Belief();
        disk.cutPowerAt(cut);
        try {
          live(disk, belief);
        } catch (CrashDisk.PowerCut expected) {
          // and nothing more was written
        }
        disk.restart(random);
        check(disk, belief, "power cut before change " + cut);
      }
    }
  }

  /// The log opens, again and again, holds what was synced, and can be written to.
  private static void check(CrashDisk disk, Belief belief, String when) throws IOException {
    if (!Wal.exists(disk, DIRECTORY)) {
      assertThat(belief.created).as(when).isFalse();
      Wal.create(disk, DIRECTORY, WalTest.METADATA, OPTIONS).close();
      return;
    }
    assertThat(Wal.validSnapshots(disk, DIRECTORY)).as(when).contains(WalSnapshot.EMPTY);
    Wal.Opened opened = Wal.open(disk, DIRECTORY, WalSnapshot.EMPTY, OPTIONS);
    List<Entry> entries = opened.entries();
    assertThat(opened.metadata()).isEqualTo(WalTest.METADATA);
    assertThat(opened.hardState().term()).as(when).isGreaterThanOrEqualTo(belief.durableTerm);
    assertThat(entries.size()).as(when).isGreaterThanOrEqualTo(belief.durable);
    assertThat(entries.subList(0, belief.durable)).as(when).isEqualTo(belief.written.subList(0, belief.durable));
    Entry more = WalTest.entry(9, entries.size() + 1, 20_000);
    opened.wal().append(new HardState(9, 1, 0), List.of(more));
    opened.wal().sync();
    opened.wal().close();
    List<Entry> again = WalReading.read(disk, DIRECTORY, WalSnapshot.EMPTY).entries();
    assertThat(again).as(when).hasSize(entries.size() + 1).endsWith(more);
  }

  @Test
  void afterAFailedSyncNothingMoreIsAccepted() throws Exception {
    CrashDisk disk = disk();
    Wal wal = Wal.create(disk, DIRECTORY, WalTest.METADATA, OPTIONS);
    wal.append(HardState.EMPTY, WalTest.entries(1, 1, 1, 10));
    disk.failSyncs();
    assertThatExceptionOfType(IOException.class).isThrownBy(wal::sync).withMessage("Input/output error");
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(wal::sync)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(WalException.Reason.STOPPED))
        .withCauseInstanceOf(IOException.class);
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> wal.append(HardState.EMPTY, WalTest.entries(1, 2, 1, 10)));
    assertThatExceptionOfType(WalException.class)
        .isThrownBy(() -> wal.saveSnapshot(new WalSnapshot(1, 1, WalTest.ONE_VOTER)));
    assertThat(wal.writeAhead(4096)).isNull();
    wal.close();
  }

  @Test
  void aFailedWriteAheadFailsTheNextSync() throws Exception {
    CrashDisk disk = disk();
    Wal wal = Wal.create(disk, DIRECTORY, WalTest.METADATA, new WalOptions(1 << 20, 4096, false));
    Runnable step = wal.writeAhead(4096);
    assertThat(step).isNotNull();
    disk.cutPowerAt(0);
    step.run();
    disk.cutPowerAt(Long.MAX_VALUE);
    assertThat(wal.writeAhead(4096)).isNull();
    wal.append(HardState.EMPTY, WalTest.entries(1, 1, 1, 10));
    assertThatExceptionOfType(CrashDisk.PowerCut.class).isThrownBy(wal::sync);
    wal.close();
  }

  @Test
  void aSpareThatCannotBeMadeDoesNotHurtTheLog() throws Exception {
    CrashDisk disk = disk();
    Wal wal = Wal.create(disk, DIRECTORY, WalTest.METADATA, OPTIONS);
    disk.cutPowerAt(2);
    assertThatExceptionOfType(IOException.class).isThrownBy(wal::prepareNext);
    disk.cutPowerAt(Long.MAX_VALUE);
    assertThat(wal.wantsNext()).isTrue();
    wal.append(HardState.EMPTY, WalTest.entries(1, 1, 1, 20_000));
    wal.sync();
    wal.close();
  }
}
