package dev.kvorum.state.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.env.RealDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DefragmentationTest {
  private static final BoltOptions UNSYNCED = BoltOptions.defaults().withNoSync(true).withInitialMapBytes(1 << 20);

  @TempDir Path directory;

  private final FailingDisk disk = new FailingDisk();
  private Path file;
  private Backend backend;
  private long main = 2;

  /// A real disk that can refuse to rename.
  private static final class FailingDisk implements Disk {
    private final RealDisk real = new RealDisk();
    private boolean failsRename;

    @Override
    public DiskFile open(Path path, OpenMode mode) throws IOException {
      return real.open(path, mode);
    }

    @Override
    public boolean exists(Path path) {
      return real.exists(path);
    }

    @Override
    public boolean isDirectory(Path path) {
      return real.isDirectory(path);
    }

    @Override
    public List<String> list(Path path) throws IOException {
      return real.list(path);
    }

    @Override
    public void createDirectories(Path path) throws IOException {
      real.createDirectories(path);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      if (failsRename) {
        throw new IOException("no rename today");
      }
      real.rename(from, to);
    }

    @Override
    public boolean delete(Path path) throws IOException {
      return real.delete(path);
    }

    @Override
    public void deleteTree(Path path) throws IOException {
      real.deleteTree(path);
    }

    @Override
    public void syncDirectory(Path path) throws IOException {
      real.syncDirectory(path);
    }
  }

  @BeforeEach
  void open() throws IOException {
    file = directory.resolve("db");
    backend = Backend.open(disk, file, UNSYNCED);
    backend.batch().put(BucketName.LEASE, Bytes.utf8("l1"), Bytes.utf8("v1"));
    put(1000);
    commit();
  }

  @AfterEach
  void close() throws IOException {
    backend.close();
  }

  private void put(int count) {
    for (int i = 0; i < count; i++) {
      byte[] record = Bytes.utf8("record " + main + "x".repeat(200)).array();
      backend.batch().putKey(main, 0, main % 10 == 0, record);
      main++;
    }
  }

  private void commit() throws IOException {
    backend.committed(backend.write(backend.take()));
  }

  private List<String> rows() throws IOException {
    List<String> rows = new ArrayList<>();
    Cursor cursor = backend.read().keys().cursor();
    for (boolean more = cursor.first(); more; more = cursor.next()) {
      rows.add(Bytes.wrap(cursor.key()) + " " + Bytes.wrap(cursor.value()).toUtf8());
    }
    return rows;
  }

  private void deleteMost() throws IOException {
    RevisionSweep sweep = new RevisionSweep(-1, main);
    while (!sweep.isFinished()) {
      BackendCommit commit = backend.compact(sweep, (record, revision, sub) -> revision % 100 == 0, 100);
      assertThat(commit).isNotNull();
      backend.committed(commit);
    }
  }

  @Test
  void theFileShrinksAndHoldsTheSame() throws IOException {
    deleteMost();
    List<String> before = rows();
    long size = backend.size().bytes();
    BackendCommit commit = null;
    try (Defragmentation copying = backend.beginDefragmentation()) {
      while (commit == null) {
        commit = copying.step(7, 1 << 20);
      }
      assertThat(copying.hasSwapped()).isTrue();
      assertThat(copying.copied()).isEqualTo(before.size());
    }
    backend.committed(commit);
    assertThat(rows()).isEqualTo(before);
    assertThat(backend.size().bytes()).isLessThan(size / 2);
    assertThat(backend.get(BucketName.LEASE, Bytes.utf8("l1"))).isEqualTo(Bytes.utf8("v1").array());
    assertThat(backend.get(BucketName.META, MetaKey.FINISHED_COMPACT_REV)).isNotNull();
    backend.close();
    assertThat(directory).isDirectoryNotContaining(path -> path.getFileName().toString().startsWith("db.tmp"));
    backend = Backend.open(disk, file, UNSYNCED);
    assertThat(rows()).isEqualTo(before);
  }

  /// A txn's revisions differ in their sub number alone, and a step may end behind any of them.
  @Test
  void txnsOfManyKeysAreCopiedWholeWhereverStepsEnd() throws IOException {
    for (int keys = 2; keys < 40; keys++) {
      for (int sub = 0; sub < keys; sub++) {
        backend.batch().putKey(main, sub, sub % 5 == 4, Bytes.utf8("record " + main + "/" + sub).array());
      }
      main++;
    }
    commit();
    List<String> before = rows();
    for (int keysPerStep : new int[] {1, 2, 3, 7, 64}) {
      BackendCommit commit = null;
      try (Defragmentation copying = backend.beginDefragmentation()) {
        while (commit == null) {
          commit = copying.step(keysPerStep, 1 << 20);
        }
        assertThat(copying.copied()).isEqualTo(before.size());
      }
      backend.committed(commit);
      assertThat(rows()).as("%d in a step", keysPerStep).isEqualTo(before);
    }
  }

  /// etcd 13701: the file opened after a defragmentation had lost the options of the one before.
  @Test
  void theNewFileIsWrittenUnderTheSameOptions() throws IOException {
    backend.close();
    Files.delete(file);
    backend = Backend.open(disk, file, UNSYNCED.withPageSize(8192).withSyncFreelist(true));
    put(100);
    commit();
    assertWrittenAsAsked();
    try (Defragmentation copying = backend.beginDefragmentation()) {
      backend.committed(Objects.requireNonNull(copying.step(1_000, 1 << 20)));
    }
    assertWrittenAsAsked();
    put(1);
    commit();
    put(1);
    commit();
    assertWrittenAsAsked();
  }

  /// Both meta pages name the page size, and where the list of free pages lies (bolt-format §3).
  private void assertWrittenAsAsked() throws IOException {
    ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    for (int meta : new int[] {0, 8192}) {
      assertThat(content.getInt(meta + 16 + 8)).as("page size").isEqualTo(8192);
      assertThat(content.getLong(meta + 16 + 32)).as("page of free pages; -1 if unwritten").isPositive();
    }
  }

  @Test
  void whatIsCommittedMeanwhileIsInTheNewFile() throws IOException {
    BackendCommit commit = null;
    SharedRead old = backend.read();
    old.retain();
    try (Defragmentation copying = backend.beginDefragmentation()) {
      for (int step = 0; commit == null; step++) {
        if (step < 20) {
          put(30);
          backend.batch().put(BucketName.LEASE, Bytes.utf8("l" + step % 3), Bytes.utf8("step" + step));
          backend.batch().applied(step + 1, 1);
          commit();
        }
        commit = copying.step(50, 1 << 20);
      }
    }
    put(5);
    WriteBatch later = backend.take();
    backend.committed(commit);
    backend.committed(backend.write(later));
    assertThat(rows()).hasSize(1000 + 600 + 5);
    assertThat(backend.get(BucketName.LEASE, Bytes.utf8("l1"))).isEqualTo(Bytes.utf8("step19").array());
    assertThat(backend.committedIndex()).isEqualTo(20);
    assertThat(old.keys().get(RevisionKey.encode(11, 0))).isNotNull();
    assertThat(old.keys().get(RevisionKey.encode(1011, 0))).isNull();
    old.release();
  }

  @Test
  void compactionWaitsUntilTheCopyIsDone() throws IOException {
    RevisionSweep sweep = new RevisionSweep(-1, main);
    Defragmentation copying = backend.beginDefragmentation();
    copying.step(10, 1 << 20);
    assertThat(backend.compact(sweep, (record, revision, sub) -> true, 10)).isNull();
    assertThatThrownBy(() -> backend.beginDefragmentation()).isInstanceOf(InvariantViolation.class);
    copying.close();
    BackendCommit commit = backend.compact(sweep, (record, revision, sub) -> true, 10);
    assertThat(commit).isNotNull();
    backend.committed(commit);
  }

  @Test
  void anAbandonedCopyLeavesNothingBehind() throws IOException {
    try (Defragmentation copying = backend.beginDefragmentation()) {
      copying.step(10, 1 << 20);
      assertThat(directory.resolve("db.tmp.0")).exists();
    }
    assertThat(directory.resolve("db.tmp.0")).doesNotExist();
    put(1);
    commit();
    assertThat(rows()).hasSize(1001);
  }

  @Test
  void aFailureBeforeTheSwapLeavesTheOldFileInUse() throws IOException {
    disk.failsRename = true;
    Defragmentation copying = backend.beginDefragmentation();
    assertThatThrownBy(() -> copying.step(100_000, 1 << 30)).isInstanceOf(IOException.class);
    assertThat(copying.hasSwapped()).isFalse();
    assertThat(directory.resolve("db.tmp.0")).doesNotExist();
    put(1);
    commit();
    assertThat(rows()).hasSize(1001);
    disk.failsRename = false;
    Defragmentation again = backend.beginDefragmentation();
    BackendCommit commit = again.step(100_000, 1 << 30);
    assertThat(commit).isNotNull();
    backend.committed(commit);
    assertThat(rows()).hasSize(1001);
  }

  @Test
  void whatACrashLeftOfACopyIsRemovedAtOpening() throws IOException {
    backend.close();
    Files.writeString(directory.resolve("db.tmp.123"), "half a copy");
    backend = Backend.open(disk, file, UNSYNCED);
    assertThat(directory.resolve("db.tmp.123")).doesNotExist();
    assertThat(rows()).hasSize(1000);
  }
}
