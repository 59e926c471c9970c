package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.RealDisk;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A large file with a list of free pages opens without a look at all its pages; that is made up for before the first
/// page is used again.
final class ListedPagesTest {
  private static final int PAGE = 1024;
  private static final byte[] NAME = "bucket".getBytes();
  private static final BoltOptions OPTIONS =
      BoltOptions.defaults().withPageSize(PAGE).withInitialMapBytes(0).withNoSync(true).withSyncFreelist(true);

  @TempDir Path directory;

  private final Disk disk = new RealDisk();
  private Path file;
  private Meta meta;

  @BeforeEach
  void makeAFileOfManyPagesSomeOfThemFree() throws Exception {
    file = directory.resolve("db");
    try (Bolt bolt = Bolt.open(disk, file, OPTIONS)) {
      try (WriteTx tx = bolt.beginWrite()) {
        Bucket bucket = tx.createBucket(NAME);
        for (int i = 0; i < 20_000; i++) {
          bucket.put(key(i), new byte[400]);
        }
        tx.commit();
      }
      for (int from = 0; from < 2000; from += 1000) {
        try (WriteTx tx = bolt.beginWrite()) {
          for (int i = from; i < from + 1000; i++) {
            tx.bucket(NAME).delete(key(i));
          }
          tx.commit();
        }
      }
    }
    try (DiskFile opened = disk.open(file, Disk.OpenMode.READ)) {
      meta = MetaPages.find(opened);
    }
    assertThat(meta.pageCount()).isGreaterThan(8192);
  }

  private static byte[] key(int n) {
    return ByteBuffer.allocate(4).putInt(n).array();
  }

  private void listInstead(long id) throws Exception {
    try (DiskFile opened = disk.open(file, Disk.OpenMode.WRITE)) {
      ByteBuffer word = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, id);
      opened.write(word, meta.freelist() * PAGE + Page.HEADER_BYTES);
    }
  }

  @Test
  void listedPagesAreFreeAndUsedAgain() throws Exception {
    try (Bolt bolt = Bolt.open(disk, file, OPTIONS)) {
      assertThat(bolt.isProven()).isFalse();
      long free = bolt.stats().freePages();
      assertThat(free).isGreaterThan(500);
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.bucket(NAME).get(key(2000))).hasSize(400);
      }
      try (WriteTx tx = bolt.beginWrite()) {
        assertThat(bolt.isProven()).isTrue();
        for (int i = 0; i < 500; i++) {
          tx.bucket(NAME).put(key(i), new byte[400]);
        }
        tx.commit();
      }
      assertThat(bolt.stats().pageCount()).isEqualTo(meta.pageCount());
      BoltAudit.check(bolt);
    }
  }

  @Test
  void aListedPageThatIsInUseIsRefusedBeforeItIsOverwritten() throws Exception {
    listInstead(meta.root());
    try (Bolt bolt = Bolt.open(disk, file, OPTIONS)) {
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(bolt::beginWrite)
            .isInstanceOf(CorruptionException.class)
            .hasMessageContaining("page " + meta.root() + ": reachable freed");
      }
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.bucket(NAME).get(key(2000))).hasSize(400);
      }
    }
  }

  @Test
  void aListThatListsItselfIsRefusedBeforeItIsOverwritten() throws Exception {
    listInstead(meta.freelist());
    try (Bolt bolt = Bolt.open(disk, file, OPTIONS)) {
      assertThatThrownBy(bolt::beginWrite)
          .isInstanceOf(CorruptionException.class)
          .hasMessageContaining("page " + meta.freelist() + ": reachable freed");
    }
  }

  @Test
  void aListedPageThatIsNoneIsRefusedAtOnce() throws Exception {
    listInstead(meta.pageCount());
    assertThatThrownBy(() -> Bolt.open(disk, file, OPTIONS))
        .isInstanceOf(CorruptionException.class)
        .hasMessageContaining("out of bounds");
  }
}
