package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.fail;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.RealDisk;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalDamageTest {
  private static final WalOptions OPTIONS = new WalOptions(16 << 10, 4096, true);
  private static final HardState STATE = new HardState(1, 1, 1);

  @TempDir Path root;
  private final Disk disk = new RealDisk();
  private Path directory;
  private Path last;

  /// Where each entry's frame begins in the last segment, and behind the end of the last one.
  private List<Integer> offsets;

  @BeforeEach
  void writeTwoSegments() throws IOException {
    directory = root.resolve("wal");
    offsets = new ArrayList<>();
    try (Wal wal = Wal.create(disk, directory, WalTest.METADATA, OPTIONS)) {
      wal.append(STATE, WalTest.entries(1, 1, 3, 6000));
      wal.sync();
      long head = headOfSecondSegment();
      for (int i = 0; i < 5; i++) {
        offsets.add((int) head);
        wal.append(HardState.EMPTY, List.of(WalTest.entry(1, 4 + i, 1500)));
        long before = wal.writtenBytes();
        wal.sync();
        head += wal.writtenBytes() - before;
      }
      offsets.add((int) head);
    }
    last = directory.resolve("0000000000000001-0000000000000004.wal");
    assertThat(last).exists();
  }

  private long headOfSecondSegment() throws IOException {
    byte[] bytes = Files.readAllBytes(directory.resolve("0000000000000001-0000000000000004.wal"));
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int at = 0;
    while (buffer.getLong(at) != 0) {
      at = frameEnd(buffer, at);
    }
    return at;
  }

  private static int frameEnd(ByteBuffer buffer, int at) {
    long field = buffer.getLong(at);
    int length = (int) (field & 0xFF_FFFF_FFFF_FFFFL);
    return at + 8 + length + (-length & 7);
  }

  private Wal.Opened open() throws IOException {
    return Wal.open(disk, directory, WalSnapshot.EMPTY, OPTIONS);
  }

  private void edit(Path file, java.util.function.Consumer<byte[]> change) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    change.accept(bytes);
    Files.write(file, bytes);
  }

  private void assertCorrupt(Path file, String message) {
    assertThatExceptionOfType(CorruptionException.class)
        .isThrownBy(this::open)
        .withMessageContaining(message)
        .satisfies(e -> assertThat(e.file()).isEqualTo(file));
  }

  /// Opens, and appends and opens again, to see that what is left is a log.
  private List<Entry> openAndGoOn() throws IOException {
    Wal.Opened opened = open();
    try (Wal wal = opened.wal()) {
      wal.append(HardState.EMPTY, List.of(WalTest.entry(2, wal.lastIndex() + 1, 700)));
      wal.sync();
    }
    List<Entry> again = WalReading.read(disk, directory, WalSnapshot.EMPTY).entries();
    assertThat(again.subList(0, again.size() - 1)).isEqualTo(opened.entries());
    return opened.entries();
  }

  @Test
  void aZeroedSectorInTheLastRecordIsRepaired() throws Exception {
    int sector = (offsets.get(4) + 600) / 512 * 512;
    edit(last, bytes -> Arrays.fill(bytes, sector, sector + 512, (byte) 0));
    byte[] damaged = Files.readAllBytes(last);
    assertThat(WalReading.read(disk, directory, WalSnapshot.EMPTY).tornTail()).isTrue();
    Wal.Opened opened = open();
    opened.wal().append(HardState.EMPTY, List.of(WalTest.entry(1, 8, 1500)));
    opened.wal().close();
    assertThat(opened.entries()).isEqualTo(expected(7));
    assertThat(opened.brokenCopy()).isEqualTo(last.resolveSibling(last.getFileName() + ".broken"));
    assertThat(Files.readAllBytes(opened.brokenCopy())).isEqualTo(damaged);
    Wal.Opened again = open();
    again.wal().close();
    assertThat(again.brokenCopy()).isNull();
    assertThat(again.entries()).isEqualTo(expected(8));
  }

  private static List<Entry> expected(int count) {
    List<Entry> entries = new ArrayList<>(WalTest.entries(1, 1, 3, 6000));
    entries.addAll(WalTest.entries(1, 4, 5, 1500));
    return entries.subList(0, count);
  }

  @Test
  void aFlippedByteInTheLastRecordIsRefused() throws Exception {
    edit(last, bytes -> bytes[offsets.get(4) + 700] ^= 0x10);
    assertCorrupt(last, "walpb: crc mismatch");
    assertThat(last.resolveSibling(last.getFileName() + ".broken")).doesNotExist();
  }

  @Test
  void aFlippedByteInAnEarlierSegmentIsRefused() throws Exception {
    Path first = directory.resolve("0000000000000000-0000000000000000.wal");
    edit(first, bytes -> bytes[9000] ^= 1);
    assertCorrupt(first, "walpb: crc mismatch");
  }

  @Test
  void aZeroedSectorInAnEarlierSegmentIsRefused() throws Exception {
    Path first = directory.resolve("0000000000000000-0000000000000000.wal");
    edit(first, bytes -> Arrays.fill(bytes, 1024, 1536, (byte) 0));
    assertCorrupt(first, "walpb: crc mismatch");
  }

  @Test
  void anEarlierSegmentThatEndsEarlyIsRefused() throws Exception {
    Path first = directory.resolve("0000000000000000-0000000000000000.wal");
    byte[] bytes = Files.readAllBytes(first);
    Files.write(first, Arrays.copyOf(bytes, bytes.length - 100));
    assertCorrupt(first, "wal: segment ends inside a record");
    Files.write(first, Arrays.copyOf(bytes, bytes.length - 6100));
    assertThatExceptionOfType(CorruptionException.class).isThrownBy(this::open);
  }

  @Test
  void aLogCutAnywhereOpensWithAllThatWasWholeBefore() throws Exception {
    byte[] whole = Files.readAllBytes(last);
    for (int length = offsets.get(3); length <= offsets.get(5); length += 61) {
      Files.write(last, Arrays.copyOf(whole, length));
      int kept = length < offsets.get(4) ? 6 : length < offsets.get(5) ? 7 : 8;
      assertThat(openAndGoOn()).as("cut at %d", length).isEqualTo(expected(kept));
    }
  }

  @Test
  void aLogCutAtEveryByteOfItsLastRecordLosesOnlyThat() throws Exception {
    byte[] whole = Files.readAllBytes(last);
    for (int length = offsets.get(4); length <= offsets.get(5); length++) {
      Files.write(last, Arrays.copyOf(whole, length));
      WalReading.Contents contents = WalReading.read(disk, directory, WalSnapshot.EMPTY);
      assertThat(contents.entries()).as("cut at %d", length).isEqualTo(expected(length < offsets.get(5) ? 7 : 8));
      assertThat(contents.tornTail()).isEqualTo(length > offsets.get(4) && length < offsets.get(5));
    }
  }

  @Test
  void whatLiesBehindTheEndIsWipedBeforeItCanBeMistakenForRecords() throws Exception {
    int end = offsets.get(5);
    edit(last, bytes -> {
      byte[] record = Arrays.copyOfRange(bytes, offsets.get(4), end);
      System.arraycopy(record, 0, bytes, end + 1024, record.length);
    });
    assertThat(openAndGoOn()).isEqualTo(expected(8));
    byte[] after = Files.readAllBytes(last);
    assertThat(Arrays.copyOfRange(after, end + 1024, after.length)).containsOnly(0);
  }

  @Test
  void aLogThatWasFoundIsNotChangedBeforeItIsTakenOver() throws Exception {
    edit(last, bytes -> Arrays.fill(bytes, offsets.get(2), offsets.get(2) + 24, (byte) 0));
    byte[] damaged = Files.readAllBytes(last);
    try (WalOpening found = WalOpening.find(disk, directory, WalSnapshot.EMPTY, OPTIONS)) {
      assertThat(found.entries()).isEqualTo(expected(5));
      assertThat(found.lastSegment()).isEqualTo(last);
      assertThat(found.endOffset()).isEqualTo(offsets.get(2).longValue());
      assertThat(found.isTorn()).isFalse();
      assertThat(found.metadata()).isEqualTo(WalTest.METADATA);
      assertThatExceptionOfType(WalException.class).isThrownBy(this::open)
          .satisfies(e -> assertThat(e.reason()).isEqualTo(WalException.Reason.LOCKED));
    }
    assertThat(Files.readAllBytes(last)).isEqualTo(damaged);
    try (var files = Files.list(directory)) {
      assertThat(files).hasSize(2);
    }
    Wal.Opened opened = open();
    opened.wal().close();
    assertThat(opened.entries()).isEqualTo(expected(5));
  }

  @Test
  void aCopyIsKeptOfWhatLiesBehindTheEndUnlessItIsZeros() throws Exception {
    byte[] whole = Files.readAllBytes(last);
    int sector = (offsets.get(2) + 511) / 512 * 512;
    List<java.util.function.Consumer<byte[]>> damages = List.of(
        bytes -> Arrays.fill(bytes, offsets.get(2), offsets.get(2) + 24, (byte) 0),
        bytes -> Arrays.fill(bytes, offsets.get(2), sector + 512, (byte) 0),
        bytes -> bytes[bytes.length - 1] = 1);
    for (var damage : damages) {
      Files.write(last, whole);
      edit(last, damage);
      byte[] damaged = Files.readAllBytes(last);
      Wal.Opened opened = open();
      opened.wal().close();
      assertThat(opened.brokenCopy()).isEqualTo(last.resolveSibling(last.getFileName() + ".broken"));
      assertThat(Files.readAllBytes(opened.brokenCopy())).isEqualTo(damaged);
      Wal.Opened again = open();
      again.wal().close();
      assertThat(again.brokenCopy()).isNull();
    }
  }

  /// etcd 11924. The sum of the second segment's metadata is right all the same: it counts on from the first segment.
  @Test
  void aSegmentWithoutItsFirstSumIsRefused() throws Exception {
    for (Path segment : List.of(last, directory.resolve("0000000000000000-0000000000000000.wal"))) {
      edit(segment, bytes -> {
        int sumEnd = frameEnd(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), 0);
        System.arraycopy(bytes, sumEnd, bytes, 0, bytes.length - sumEnd);
      });
      assertCorrupt(segment, "wal: record of type 1 where one of type 4 belongs");
      assertThatExceptionOfType(CorruptionException.class).isThrownBy(() -> Wal.validSnapshots(disk, directory));
    }
  }

  @Test
  void aRecordWithoutItsSumIsRefused() throws Exception {
    int tag = offsets.get(3) + 8 + 2;
    assertThat(Files.readAllBytes(last)[tag]).as("of the sum").isEqualTo((byte) 0x10);
    edit(last, bytes -> bytes[tag] = 0x20); // of a field that nobody knows
    assertCorrupt(last, "walpb: crc mismatch");
    assertThatExceptionOfType(CorruptionException.class).isThrownBy(() -> Wal.validSnapshots(disk, directory));
  }

  @Test
  void aLengthBeyondAllReasonIsRefused() throws Exception {
    for (long length : new long[] {
      (1L << 56) - 8, 1L << 40, 0x7FFF_FFFF_FFFFL & ~7, -1L, 0x01_00_0000_0000_0010L, 0x88_00_0000_0000_0010L,
      0x40_00_0000_0000_0010L, 0x83_00_0000_0000_0010L, 0x80_00_0000_0000_0010L, 9L
    }) {
      byte[] before = Files.readAllBytes(last);
      edit(last, bytes -> ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(offsets.get(2), length));
      assertCorrupt(last, "wal: impossible record length field");
      Files.write(last, before);
    }
  }

  @Test
  void aDamagedLengthIsNotTakenForATornTail() throws Exception {
    edit(last, bytes -> bytes[offsets.get(2) + 3] ^= 0x01);
    assertCorrupt(last, "wal: record length field disagrees with its record");
  }

  @Test
  void anIndexGapIsRefused() throws Exception {
    Path other = root.resolve("gap");
    long far = Long.parseUnsignedLong("13038096702221461992");
    try (Wal wal = Wal.create(disk, other, WalTest.METADATA, OPTIONS)) {
      wal.append(STATE, WalTest.entries(1, 1, 2, 10));
      wal.saveSnapshot(new WalSnapshot(far, 1, WalTest.ONE_VOTER));
      wal.append(HardState.EMPTY, List.of(WalTest.entry(1, far + 1, 10)));
      wal.sync();
    }
    assertThatExceptionOfType(CorruptionException.class)
        .isThrownBy(() -> WalReading.read(disk, other, WalSnapshot.EMPTY))
        .withMessageContaining("wal: slice bounds out of range, snapshot[Index: 0, Term: 0], current entry[Index: "
            + "13038096702221461993, Term: 1], len(ents): 2");
  }

  @Test
  void aLogThatLacksWhatWasCommittedAfterItsStartIsRefused() throws Exception {
    Path other = root.resolve("short");
    try (Wal wal = Wal.create(disk, other, WalTest.METADATA, OPTIONS)) {
      wal.append(STATE, WalTest.entries(1, 1, 2, 10));
      wal.saveSnapshot(new WalSnapshot(5, 1, WalTest.ONE_VOTER)); // received: entries 3 to 5 were never here
      wal.append(new HardState(1, 1, 5), List.of());
      wal.sync();
    }
    assertThatExceptionOfType(CorruptionException.class)
        .isThrownBy(() -> Wal.open(disk, other, WalSnapshot.EMPTY, OPTIONS))
        .withMessageContaining("commit index 5 is beyond the last entry");
    Wal.open(disk, other, new WalSnapshot(5, 1, WalTest.ONE_VOTER), OPTIONS).wal().close();
  }

  @Test
  void metadataOfAnotherLogIsRefused() throws Exception {
    Path other = root.resolve("other");
    try (Wal wal = Wal.create(disk, other, new WalMetadata(1, 2), OPTIONS)) {
      wal.append(STATE, WalTest.entries(1, 1, 3, 6000));
      wal.sync();
    }
    Files.copy(other.resolve(last.getFileName()), last, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThatExceptionOfType(CorruptionException.class).isThrownBy(this::open);
  }

  @Test
  void anyDamageGivesAPrefixOrACleanRefusal() throws Exception {
    SplittableRandom random = Seeds.random("anyDamageGivesAPrefixOrACleanRefusal");
    byte[] whole = Files.readAllBytes(last);
    int refused = 0;
    for (int round = 0; round < 1500; round++) {
      byte[] damaged = Arrays.copyOf(whole, random.nextInt(4) == 0 ? random.nextInt(whole.length) : whole.length);
      for (int i = random.nextInt(3); i >= 0; i--) {
        damage(damaged, random);
      }
      Files.write(last, damaged);
      try {
        List<Entry> entries = WalReading.read(disk, directory, WalSnapshot.EMPTY).entries();
        assertThat(entries).isEqualTo(expected(8).subList(0, entries.size()));
      } catch (CorruptionException | WalException clean) {
        refused++;
      } catch (RuntimeException | Error unclean) {
        fail("round " + round, unclean);
      }
    }
    assertThat(refused).isPositive();
  }

  private void damage(byte[] bytes, SplittableRandom random) {
    if (bytes.length < 16) {
      return;
    }
    int frame = offsets.get(random.nextInt(offsets.size()));
    switch (random.nextInt(3)) {
      case 0 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      case 1 -> {
        if (frame + 8 <= bytes.length) {
          ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
              .putLong(frame, random.nextLong() >>> random.nextInt(64));
        }
      }
      default -> {
        int sector = random.nextInt(bytes.length) / 512 * 512;
        Arrays.fill(bytes, sector, Math.min(bytes.length, sector + 512), (byte) 0);
      }
    }
  }
}
