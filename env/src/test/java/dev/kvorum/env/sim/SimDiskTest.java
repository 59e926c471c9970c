package dev.kvorum.env.sim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Disk;
import dev.kvorum.env.Disk.OpenMode;
import dev.kvorum.env.DiskFile;
import java.io.EOFException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// With nothing wrong, the simulated disk is a file system like the machine's.
class SimDiskTest {
  private static final Path F = Path.of("/f");
  private final SimDisk disk = new SimDisk();

  static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  static String text(Disk disk, Path path) throws Exception {
    try (DiskFile file = disk.open(path, OpenMode.READ)) {
      ByteBuffer all = ByteBuffer.allocate((int) file.size());
      file.readFully(all, 0);
      return new String(all.array(), StandardCharsets.UTF_8);
    }
  }

  static void put(Disk disk, Path path, String text) throws Exception {
    try (DiskFile file = disk.open(path, OpenMode.CREATE)) {
      file.write(bytes(text), 0);
    }
  }

  @Test
  void writesAreReadBackAcrossBuffersOfEveryKind() throws Exception {
    try (DiskFile file = disk.open(F, OpenMode.CREATE_NEW)) {
      file.write(new ByteBuffer[] {bytes("abc"), bytes(""), bytes("defg")}, 4094);
      ByteBuffer direct = ByteBuffer.allocateDirect(9);
      assertThat(file.read(direct, 4092)).isEqualTo(9);
      assertThat(direct.get(1)).isZero();
      assertThat(direct.get(2)).isEqualTo((byte) 'a');
      ByteBuffer middle = ByteBuffer.allocate(10).position(3).limit(6);
      assertThat(file.read(middle, 4096)).isEqualTo(3);
      assertThat(new String(middle.array(), 3, 3, StandardCharsets.UTF_8)).isEqualTo("cde");
      assertThat(file.read(ByteBuffer.allocate(1), 4101)).isEqualTo(-1);
      assertThatThrownBy(() -> file.readFully(ByteBuffer.allocate(8), 4096)).isInstanceOf(EOFException.class);
    }
  }

  @Test
  void reservedSpaceAndWrittenZerosTakeNoMemory() throws Exception {
    try (DiskFile file = disk.open(F, OpenMode.CREATE_NEW)) {
      for (int i = 0; i < 100; i++) {
        file.allocate((i + 1) * (64L << 30));
        file.write(ByteBuffer.allocate(1 << 20), (long) i << 20);
        file.sync();
      }
      assertThat(file.size()).isEqualTo(100 * (64L << 30));
      file.resize(10);
      assertThat(file.size()).isEqualTo(10);
    }
  }

  @Test
  void whatATruncationCutOffReadsAsZerosWhenTheFileGrowsAgain() throws Exception {
    try (DiskFile file = disk.open(F, OpenMode.CREATE_NEW)) {
      file.write(bytes("abcdef"), 0);
      file.resize(2);
      file.resize(5);
    }
    assertThat(text(disk, F)).isEqualTo("ab\0\0\0");
  }

  @Test
  void aMapShowsWhatIsWrittenAfterItWasMadeAndGarbagePastTheEnd() throws Exception {
    try (DiskFile file = disk.open(F, OpenMode.CREATE_NEW)) {
      file.write(bytes("abc"), 0);
      try (DiskFile.Mapping map = file.map(1 << 20)) {
        MemorySegment seen = map.segment();
        assertThat(seen.byteSize()).isEqualTo(1 << 20);
        assertThat(seen.get(JAVA_BYTE, 1)).isEqualTo((byte) 'b');
        assertThat(seen.get(JAVA_BYTE, 3)).as("the rest of the last page is zeros").isZero();
        assertThat(seen.get(JAVA_BYTE, 4096)).as("past the end").isEqualTo((byte) 0xDB);
        file.resize(8193);
        file.write(bytes("z"), 8191);
        assertThat(seen.get(JAVA_BYTE, 8191)).isEqualTo((byte) 'z');
        assertThat(seen.get(JAVA_BYTE, 4096)).isZero();
        assertThat(seen.get(JAVA_BYTE, 12288)).isEqualTo((byte) 0xDB);
        file.resize(2);
        assertThat(seen.get(JAVA_BYTE, 1)).isEqualTo((byte) 'b');
        assertThat(seen.get(JAVA_BYTE, 2)).isZero();
        assertThat(seen.get(JAVA_BYTE, 8191)).isEqualTo((byte) 0xDB);
        assertThatThrownBy(() -> seen.set(JAVA_BYTE, 0, (byte) 1)).isInstanceOf(RuntimeException.class);
      }
    }
  }

  @Test
  void readingAClosedMapIsAnError() throws Exception {
    try (DiskFile file = disk.open(F, OpenMode.CREATE_NEW)) {
      DiskFile.Mapping map = file.map(3);
      MemorySegment segment = map.segment();
      map.close();
      map.close();
      assertThatThrownBy(() -> segment.get(JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void anOpenFileGoesOnNamingTheSameFileWhateverHappensToItsName() throws Exception {
    put(disk, F, "old");
    put(disk, Path.of("new"), "new");
    try (DiskFile old = disk.open(F, OpenMode.WRITE);
        DiskFile.Mapping map = old.map(3);
        DiskFile fresh = disk.open(Path.of("new"), OpenMode.WRITE)) {
      disk.rename(Path.of("new"), F);
      assertThat(fresh.path()).isEqualTo(Path.of("new"));
      old.write(bytes("OLD"), 0);
      fresh.write(bytes("NEW"), 0);
      assertThat(map.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 'O');
      assertThat(text(disk, F)).isEqualTo("NEW");
      assertThat(disk.delete(F)).isTrue();
      old.write(bytes("!"), 3);
      assertThat(old.size()).isEqualTo(4);
      assertThat(disk.list(Path.of("/"))).isEmpty();
    }
  }

  @Test
  void locksExcludeOtherOpeningsUntilTheFileAndItsMapsAreClosed() throws Exception {
    DiskFile first = disk.open(F, OpenMode.CREATE);
    DiskFile second = disk.open(F, OpenMode.WRITE);
    assertThat(first.tryFlock(true)).isTrue();
    assertThat(first.tryFlock(true)).as("again").isTrue();
    assertThat(second.tryFlock(true)).isFalse();
    assertThat(second.tryFlock(false)).isFalse();
    assertThat(first.tryRecordLock()).isTrue();
    assertThat(second.tryRecordLock()).isFalse();
    DiskFile.Mapping readers = first.map(3);
    first.close();
    assertThat(second.tryFlock(true)).as("somebody reads the map still").isFalse();
    readers.close();
    assertThat(second.tryFlock(false)).isTrue();
    assertThat(second.tryRecordLock()).isTrue();
    DiskFile third = disk.open(F, OpenMode.READ);
    assertThat(third.tryFlock(false)).isTrue();
    assertThat(second.tryFlock(true)).as("shared with another").isFalse();
    third.close();
    assertThat(second.tryFlock(true)).isTrue();
  }

  @Test
  void openModesRefuseWhatTheyMust() throws Exception {
    assertThatThrownBy(() -> disk.open(F, OpenMode.READ)).isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> disk.open(F, OpenMode.WRITE)).isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> disk.open(Path.of("/d/f"), OpenMode.CREATE)).isInstanceOf(NoSuchFileException.class);
    DiskFile file = disk.open(F, OpenMode.CREATE_NEW);
    assertThatThrownBy(() -> disk.open(F, OpenMode.CREATE_NEW)).isInstanceOf(FileAlreadyExistsException.class);
    file.close();
    assertThatThrownBy(() -> file.write(bytes("x"), 0)).isInstanceOf(ClosedChannelException.class);
    try (DiskFile reader = disk.open(F, OpenMode.READ)) {
      assertThatThrownBy(() -> reader.write(bytes("x"), 0)).isInstanceOf(NonWritableChannelException.class);
    }
    disk.createDirectories(Path.of("/d"));
    assertThatThrownBy(() -> disk.open(Path.of("/d"), OpenMode.CREATE)).isInstanceOf(FileSystemException.class);
    assertThatThrownBy(() -> disk.list(F)).isInstanceOf(NotDirectoryException.class);
    assertThatThrownBy(() -> disk.list(Path.of("/x"))).isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> disk.createDirectories(F)).isInstanceOf(FileAlreadyExistsException.class);
  }

  @Test
  void treesAreListedInOrderRenamedAndDeleted() throws Exception {
    Path tree = Path.of("a/tree");
    disk.createDirectories(tree.resolve("sub"));
    put(disk, tree.resolve("b"), "b");
    put(disk, tree.resolve("a"), "a");
    assertThat(disk.list(tree)).containsExactly("a", "b", "sub");
    assertThat(disk.isDirectory(Path.of("/a/tree/sub"))).as("paths begin at the root").isTrue();
    assertThatThrownBy(() -> disk.delete(tree)).isInstanceOf(DirectoryNotEmptyException.class);
    disk.rename(tree, Path.of("moved"));
    assertThat(text(disk, Path.of("moved/b"))).isEqualTo("b");
    assertThat(disk.exists(tree)).isFalse();
    assertThatThrownBy(() -> disk.rename(tree, F)).isInstanceOf(NoSuchFileException.class);
    put(disk, F, "f");
    assertThatThrownBy(() -> disk.rename(F, Path.of("moved"))).isInstanceOf(FileSystemException.class);
    assertThatThrownBy(() -> disk.rename(Path.of("a"), Path.of("moved")))
        .isInstanceOf(DirectoryNotEmptyException.class);
    disk.deleteTree(Path.of("moved"));
    disk.deleteTree(Path.of("moved"));
    assertThat(disk.delete(Path.of("moved"))).isFalse();
    assertThat(disk.list(Path.of("/"))).containsExactly("a", "f");
  }

  @Test
  void aCopyGoesItsOwnWay() throws Exception {
    put(disk, F, "same");
    SimDisk copy = disk.copy();
    put(disk, F, "here");
    put(copy, F, "there");
    assertThat(text(disk, F)).isEqualTo("here");
    assertThat(text(copy, F)).isEqualTo("there");
  }

  @Test
  void aCopyPutBackIsThereAgainAndDurable() throws Exception {
    Path deep = Path.of("/a/b");
    disk.createDirectories(Path.of("/a"));
    put(disk, deep, "unsynced");
    SimDisk image = disk.copy();
    put(disk, deep, "changed");
    put(disk, F, "new");
    disk.syncDirectory(Path.of("/"));
    DiskFile open = disk.open(deep, OpenMode.WRITE);
    disk.become(image);
    assertThatThrownBy(() -> open.write(bytes("late"), 0)).isInstanceOf(PowerLoss.class);
    disk.losePower();
    disk.restart(Survival.NOTHING, new java.util.SplittableRandom(1));
    assertThat(text(disk, deep)).isEqualTo("unsynced");
    assertThat(disk.exists(F)).isFalse();
  }

  @Test
  void aStoredFileIsThereWithItsDirectories() throws Exception {
    disk.store(Path.of("/x/y/z"), new byte[] {1, 2, 3});
    assertThat(disk.contents(Path.of("/x/y/z"))).containsExactly(1, 2, 3);
    assertThat(disk.operations()).isZero();
  }
}
