package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.RealDisk;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Snapshot;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapStoreTest {
  @TempDir Path directory;
  private final Disk disk = new RealDisk();
  private SnapStore store;

  @BeforeEach
  void open() {
    store = new SnapStore(disk, directory);
  }

  private static Snapshot snapshot(long term, long index) {
    return new Snapshot(Bytes.utf8("{}" + index), ConfState.of(List.of(1L), List.of()), index, term);
  }

  @Test
  void theNewestIsLoaded() throws Exception {
    store.save(snapshot(2, 0x33));
    store.save(snapshot(3, 0x20));
    store.save(snapshot(2, 0x34));
    store.save(Snapshot.EMPTY);
    assertThat(disk.list(directory)).containsExactly(
        "0000000000000002-0000000000000033.snap",
        "0000000000000002-0000000000000034.snap",
        "0000000000000003-0000000000000020.snap");
    assertThat(store.loadNewest()).isEqualTo(snapshot(3, 0x20));
  }

  @Test
  void onlySnapshotsTheLogKnowsAreLoadedWhenAsked() throws Exception {
    store.save(snapshot(2, 10));
    store.save(snapshot(2, 20));
    assertThat(store.loadNewest(List.of(WalSnapshot.EMPTY, WalSnapshot.at(10, 2)))).isEqualTo(snapshot(2, 10));
    assertThat(store.loadNewest(List.of(WalSnapshot.EMPTY))).isNull();
  }

  @Test
  void unreadableFilesAreSetAside() throws Exception {
    store.save(snapshot(2, 10));
    store.save(snapshot(2, 20));
    Path newest = directory.resolve(SnapStore.fileName(2, 20));
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length - 1] ^= 1;
    Files.write(newest, bytes);
    Files.write(directory.resolve(SnapStore.fileName(2, 30)), new byte[0]);
    assertThatExceptionOfType(CorruptionException.class)
        .isThrownBy(() -> SnapStore.read(disk, newest))
        .withMessageContaining("snap: crc mismatch");
    assertThat(store.loadNewest()).isEqualTo(snapshot(2, 10));
    assertThat(disk.list(directory)).containsExactly(
        "0000000000000002-000000000000000a.snap",
        "0000000000000002-0000000000000014.snap.broken",
        "0000000000000002-000000000000001e.snap.broken");
  }

  @Test
  void receivedDatabasesAppearWholeOrNotAtAll() throws Exception {
    try (SnapStore.Receipt abandoned = store.receiveDatabase(0x1a)) {
      abandoned.write(ByteBuffer.wrap(new byte[100]));
    }
    assertThat(disk.list(directory)).isEmpty();
    try (SnapStore.Receipt receipt = store.receiveDatabase(0x1a)) {
      receipt.write(ByteBuffer.wrap(new byte[] {1, 2}));
      receipt.write(ByteBuffer.wrap(new byte[] {3}));
      assertThat(receipt.keep()).isEqualTo(store.databaseFile(0x1a));
    }
    try (SnapStore.Receipt again = store.receiveDatabase(0x1a)) {
      again.keep();
    }
    assertThat(disk.list(directory)).containsExactly("000000000000001a.snap.db");
    assertThat(Files.readAllBytes(store.databaseFile(0x1a))).containsExactly(1, 2, 3);
  }

  @Test
  void housekeepingTouchesOnlyItsOwn() throws Exception {
    for (String name : List.of("db", "db.tmp123", "tmp42", "0000000000000005.snap.db", "0000000000000009.snap.db")) {
      Files.write(directory.resolve(name), new byte[1]);
    }
    for (int i = 1; i <= 4; i++) {
      store.save(snapshot(1, i));
    }
    assertThat(store.removeTemporaries()).containsExactly("db.tmp123", "tmp42");
    assertThat(store.releaseDatabasesBefore(9)).containsExactly("0000000000000005.snap.db");
    assertThat(store.purge(0)).isEmpty();
    assertThat(store.purge(3)).containsExactly("0000000000000001-0000000000000001.snap");
    assertThat(disk.list(directory)).hasSize(5).contains("db", "0000000000000009.snap.db");
  }
}
