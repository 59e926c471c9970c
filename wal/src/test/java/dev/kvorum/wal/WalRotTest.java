package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Every bit of a small log of several segments flips, and every length is tried: what is read is what was written, or
/// nothing.
class WalRotTest {
  private static final WalOptions OPTIONS = new WalOptions(4096, 4096, false);
  private static final long VOTE = 0x9d2c_5680_31f4_e077L;

  private final SimDisk disk = new SimDisk();
  private final LogHistory history = new LogHistory(new LogHistory.State());
  private final List<Path> segments = new ArrayList<>();
  private WalReading.Contents whole;
  private List<WalSnapshot> marks;

  /// Entries of all kinds and terms, with and without data, states between them, a conflict, marks.
  @BeforeEach
  void write() throws IOException {
    disk.createDirectories(LogLife.MEMBER);
    SplittableRandom random = new SplittableRandom(4711);
    Wal wal = Wal.create(disk, LogLife.DIRECTORY, WalTest.METADATA, OPTIONS);
    long index = 0;
    for (long term = 1; term <= 3; term++) {
      append(wal, new HardState(term, VOTE + term, index), new Entry(EntryType.NORMAL, term, ++index, Bytes.EMPTY));
      append(wal, HardState.EMPTY, new Entry(EntryType.CONF_CHANGE, term, ++index, Bytes.wrap(new byte[] {24, 7})));
      append(wal, HardState.EMPTY, new Entry(EntryType.CONF_CHANGE_V2, term, ++index, Bytes.EMPTY));
      append(wal, new HardState(term, VOTE + term, index - 1), entry(random, term, ++index, 8));
      for (int size : new int[] {1, 9, 100, 233, 249, 488, 497, 1000}) {
        append(wal, HardState.EMPTY, entry(random, term, ++index, size));
      }
      append(wal, new HardState(term, VOTE + term, index - 2));
      WalSnapshot mark = new WalSnapshot(index - 3, term, WalTest.ONE_VOTER);
      history.issue(0, mark);
      wal.saveSnapshot(mark);
      append(wal, HardState.EMPTY, entry(random, term, ++index, 30));
      index -= 1;
    }
    append(wal, HardState.EMPTY, entry(random, 3, index + 1, 64));
    wal.close();
    for (String name : disk.list(LogLife.DIRECTORY)) {
      segments.add(LogLife.DIRECTORY.resolve(name));
    }
    assertThat(segments).hasSizeBetween(3, 4);
    whole = WalReading.read(disk, LogLife.DIRECTORY, WalSnapshot.EMPTY);
    marks = Wal.validSnapshots(disk, LogLife.DIRECTORY);
    assertThat(marks).hasSize(4);
  }

  private void append(Wal wal, HardState state, Entry... entries) throws IOException {
    for (Entry entry : entries) {
      history.issue(0, entry);
    }
    if (!state.isEmpty()) {
      history.issue(0, state);
    }
    wal.append(state, List.of(entries));
    wal.sync();
  }

  private static Entry entry(SplittableRandom random, long term, long index, int size) {
    byte[] data = new byte[size];
    random.nextBytes(data);
    return Entry.normal(term, index, Bytes.wrap(data));
  }

  @Test
  void aFlippedBitAnywhereIsHarmlessOrRefusedWithItsFile() throws Exception {
    SplittableRandom random = Seeds.random("aFlippedBitAnywhereIsHarmlessOrRefusedWithItsFile");
    long refused = 0;
    long harmless = 0;
    for (Path segment : segments) {
      byte[] bytes = disk.contents(segment);
      TreeSet<Integer> frames = frames(bytes);
      for (int offset = 0; offset < bytes.length; offset++) {
        int one = random.nextInt(8);
        for (int bit = 0; bit < 8; bit++) {
          if (offset - frames.floor(offset) >= 24 && bit != one) {
            continue; // within data the bits are alike
          }
          SimDisk rotten = disk.copy();
          rotten.rot(segment, offset, 1 << bit);
          if (isWhole(rotten, "bit %d at %d of %s".formatted(bit, offset, segment))) {
            harmless++;
          } else {
            refused++;
          }
        }
      }
    }
    System.out.printf("%d flipped bits refused, %d harmless%n", refused, harmless);
    assertThat(refused).isGreaterThan(harmless / 2);
  }

  /// @return false when it is refused
  private boolean isWhole(Disk rotten, String what) throws IOException {
    try {
      assertThat(Wal.validSnapshots(rotten, LogLife.DIRECTORY).equals(marks)).as("marks, %s", what).isTrue();
      for (WalSnapshot start : List.of(WalSnapshot.EMPTY, marks.getLast())) {
        WalReading.Contents read = WalReading.read(rotten, LogLife.DIRECTORY, start);
        List<Entry> expected =
            whole.entries().stream().filter(entry -> entry.index() > start.index()).toList();
        assertThat(read.entries().equals(expected))
            .as("%d entries instead of %d, %s", read.entries().size(), expected.size(), what)
            .isTrue();
        assertThat(read.hardState()).as(what).isEqualTo(whole.hardState());
        assertThat(read.metadata()).as(what).isEqualTo(whole.metadata());
      }
      return true;
    } catch (CorruptionException clean) {
      assertThat(segments).as(what).contains(clean.file());
      return false;
    }
  }

  /// What stands behind the end is no part of the log, and is gone once the log is opened to be written. (The length
  /// field at the end is part of it.)
  @Test
  void aLogWithGarbageBehindItsEndGoesOn() throws Exception {
    Path last = segments.getLast();
    byte[] bytes = disk.contents(last);
    int end = recordsEnd(bytes);
    SplittableRandom random = Seeds.random("aLogWithGarbageBehindItsEndGoesOn");
    for (int i = 0; i < 200; i++) {
      SimDisk rotten = disk.copy();
      int from = random.nextBoolean() ? end + 8 : random.nextInt(end + 8, bytes.length);
      int length = Math.min(1 + random.nextInt(16), bytes.length - from);
      for (int at = from; at < from + length; at++) {
        rotten.rot(last, at, 1 + random.nextInt(255));
      }
      Wal.Opened opened = Wal.open(rotten, LogLife.DIRECTORY, WalSnapshot.EMPTY, OPTIONS);
      assertThat(opened.entries()).isEqualTo(whole.entries());
      Entry more = WalTest.entry(4, opened.wal().lastIndex() + 1, random.nextInt(2000));
      opened.wal().append(HardState.EMPTY, List.of(more));
      opened.wal().close();
      assertThat(WalReading.read(rotten, LogLife.DIRECTORY, WalSnapshot.EMPTY).entries())
          .hasSize(whole.entries().size() + 1)
          .endsWith(more);
    }
  }

  @Test
  void aSegmentCutAtAnyLengthGivesAPrefixOrIsRefused() throws Exception {
    for (Path segment : segments) {
      boolean isLast = segment.equals(segments.getLast());
      long end = disk.contents(segment).length;
      long recordsEnd = recordsEnd(disk.contents(segment));
      for (long length = 0; length < end; length += isLast && length < recordsEnd ? 1 : 11) {
        SimDisk cut = disk.copy();
        try (DiskFile file = cut.open(segment, Disk.OpenMode.WRITE)) {
          file.resize(length);
        }
        try {
          WalReading.Contents read = WalReading.read(cut, LogLife.DIRECTORY, WalSnapshot.EMPTY);
          assertThat(isLast).as("%s cut to %d bytes", segment, length).isTrue();
          assertThat(history.wasEver(WalSnapshot.EMPTY, read.hardState(), read.entries()))
              .as("cut to %d bytes", length)
              .isTrue();
          assertThat(length < recordsEnd || read.entries().equals(whole.entries())).isTrue();
          goOn(cut, read.entries());
        } catch (CorruptionException clean) {
          assertThat(clean.file()).isIn(segments);
          assertThat(isLast && length >= 256).as("cut to %d bytes", length).isFalse();
        }
      }
    }
  }

  private static int recordsEnd(byte[] bytes) {
    return frames(bytes).last();
  }

  /// Where frames begin, and where the last one ends.
  private static TreeSet<Integer> frames(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    TreeSet<Integer> starts = new TreeSet<>(List.of(0));
    while (starts.last() < bytes.length && buffer.getLong(starts.last()) != 0) {
      int length = (int) buffer.getLong(starts.last());
      starts.add(starts.last() + 8 + length + (-length & 7));
    }
    return starts;
  }

  private static void goOn(SimDisk cut, List<Entry> entries) throws IOException {
    Wal.Opened opened = Wal.open(cut, LogLife.DIRECTORY, WalSnapshot.EMPTY, OPTIONS);
    assertThat(opened.entries().equals(entries)).isTrue();
    Entry more = WalTest.entry(4, opened.wal().lastIndex() + 1, 100);
    opened.wal().append(HardState.EMPTY, List.of(more));
    opened.wal().close();
    assertThat(WalReading.read(cut, LogLife.DIRECTORY, WalSnapshot.EMPTY).entries()).endsWith(more);
  }

  @Test
  void aSnapshotFileWithAFlippedBitOrCutShortIsRefused() throws Exception {
    disk.createDirectories(LogLife.SNAPSHOTS);
    SplittableRandom random = new SplittableRandom(1);
    byte[] data = new byte[700];
    random.nextBytes(data);
    Snapshot snapshot = new Snapshot(Bytes.wrap(data), ConfState.of(List.of(1L, VOTE), List.of(7L)), 300, 5);
    new SnapStore(disk, LogLife.SNAPSHOTS).save(snapshot);
    Path path = LogLife.SNAPSHOTS.resolve(SnapStore.fileName(5, 300));
    byte[] bytes = disk.contents(path);
    for (int offset = 0; offset < bytes.length; offset++) {
      for (int bit = 0; bit < 8; bit++) {
        SimDisk rotten = disk.copy();
        rotten.rot(path, offset, 1 << bit);
        assertRefusedOrEqual(rotten, path, snapshot);
      }
      SimDisk cut = new SimDisk();
      cut.store(path, Arrays.copyOf(bytes, offset));
      assertThatExceptionOfType(CorruptionException.class)
          .isThrownBy(() -> SnapStore.read(cut, path))
          .satisfies(e -> assertThat(e.file()).isEqualTo(path));
      assertThat(new SnapStore(cut, LogLife.SNAPSHOTS).loadNewest()).isNull();
      assertThat(cut.list(LogLife.SNAPSHOTS)).containsExactly(path.getFileName() + ".broken");
    }
  }

  private static void assertRefusedOrEqual(SimDisk rotten, Path path, Snapshot snapshot) throws IOException {
    try {
      assertThat(SnapStore.read(rotten, path)).isEqualTo(snapshot);
    } catch (CorruptionException clean) {
      assertThat(clean.file()).isEqualTo(path);
    }
  }
}
