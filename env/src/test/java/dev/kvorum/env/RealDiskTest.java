package dev.kvorum.env;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealDiskTest {
  @TempDir Path directory;
  private final Disk disk = new RealDisk();

  @Test
  void aMapShowsWhatIsWrittenAfterItWasMadeAndMayReachPastTheEnd() throws Exception {
    try (DiskFile file = disk.open(directory.resolve("f"), Disk.OpenMode.CREATE_NEW)) {
      file.write(bytes("abc"), 0);
      try (DiskFile.Mapping map = file.map(1 << 20)) {
        assertThat(map.segment().get(JAVA_BYTE, 1)).isEqualTo((byte) 'b');
        file.resize(8192);
        file.write(bytes("z"), 8191);
        assertThat(map.segment().get(JAVA_BYTE, 8191)).isEqualTo((byte) 'z');
        assertThat(map.segment().get(JAVA_BYTE, 4096)).isZero();
      }
      assertThat(file.size()).isEqualTo(8192);
    }
  }

  @Test
  void twoOpenersExcludeEachOtherByEitherLock() throws Exception {
    Path path = directory.resolve("locked");
    try (DiskFile first = disk.open(path, Disk.OpenMode.CREATE);
        DiskFile second = disk.open(path, Disk.OpenMode.WRITE)) {
      assertThat(first.tryFlock(true)).isTrue();
      assertThat(second.tryFlock(true)).isFalse();
      assertThat(second.tryFlock(false)).isFalse();
      assertThat(first.tryRecordLock()).isTrue();
      assertThat(second.tryRecordLock()).isFalse();
      first.close();
      assertThat(second.tryFlock(true)).isTrue();
      assertThat(second.tryRecordLock()).isTrue();
    }
  }

  @Test
  void aFlockIsHeldForAsLongAsTheFileIsMapped() throws Exception {
    Path path = directory.resolve("mapped");
    DiskFile first = disk.open(path, Disk.OpenMode.CREATE);
    first.write(bytes("abc"), 0);
    assertThat(first.tryFlock(true)).isTrue();
    DiskFile.Mapping readers = first.map(3);
    first.close();
    try (DiskFile second = disk.open(path, Disk.OpenMode.WRITE)) {
      assertThat(second.tryFlock(true)).as("somebody reads the map still").isFalse();
      assertThat(readers.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 'a');
      readers.close();
      assertThat(second.tryFlock(true)).isTrue();
    }
  }

  @Test
  void readingAClosedMapIsAnErrorAndNoCrash() throws Exception {
    try (DiskFile file = disk.open(directory.resolve("f"), Disk.OpenMode.CREATE_NEW)) {
      file.write(bytes("abc"), 0);
      DiskFile.Mapping map = file.map(3);
      MemorySegment segment = map.segment();
      MemorySegment slice = segment.asSlice(1);
      map.close();
      assertThatThrownBy(() -> segment.get(JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> slice.get(JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void allocationExtendsWithZerosAndResizeCuts() throws Exception {
    try (DiskFile file = disk.open(directory.resolve("f"), Disk.OpenMode.CREATE)) {
      file.allocate(100_000);
      assertThat(file.size()).isEqualTo(100_000);
      file.resize(10);
      assertThat(file.size()).isEqualTo(10);
      assertThatThrownBy(() -> file.readFully(ByteBuffer.allocate(11), 0)).isInstanceOf(java.io.EOFException.class);
    }
  }

  @Test
  void createdFilesAndDirectoriesArePrivate() throws Exception {
    Path deep = directory.resolve("a/b");
    disk.createDirectories(deep);
    disk.open(deep.resolve("f"), Disk.OpenMode.CREATE).close();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(deep))).isEqualTo("rwx------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(deep.resolve("f")))).isEqualTo("rw-------");
  }

  @Test
  void openModesRefuseWhatTheyMust() throws Exception {
    Path path = directory.resolve("f");
    assertThatThrownBy(() -> disk.open(path, Disk.OpenMode.READ)).isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> disk.open(path, Disk.OpenMode.WRITE)).isInstanceOf(NoSuchFileException.class);
    disk.open(path, Disk.OpenMode.CREATE_NEW).close();
    assertThatThrownBy(() -> disk.open(path, Disk.OpenMode.CREATE_NEW)).isInstanceOf(FileAlreadyExistsException.class);
  }

  @Test
  void treesAreListedInOrderRenamedAndDeleted() throws Exception {
    Path tree = directory.resolve("tree");
    disk.createDirectories(tree.resolve("sub"));
    disk.open(tree.resolve("b"), Disk.OpenMode.CREATE).close();
    disk.open(tree.resolve("a"), Disk.OpenMode.CREATE).close();
    disk.syncDirectory(tree);
    assertThat(disk.list(tree)).containsExactly("a", "b", "sub");
    disk.rename(tree, directory.resolve("moved"));
    disk.deleteTree(directory.resolve("moved"));
    assertThat(disk.exists(directory.resolve("moved"))).isFalse();
    disk.deleteTree(directory.resolve("moved"));
    assertThat(disk.delete(directory.resolve("moved"))).isFalse();
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
