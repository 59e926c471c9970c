package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.sim.SimDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What can be saved of broken files.
class SurgeryTest {
  private static final Path FILE = Path.of("/db");
  private static final Path COPY = Path.of("/copy");
  private static final int PAGE = 1024;
  private static final BoltOptions OPTIONS = BoltOptions.defaults().withInitialMapBytes(0).withPageSize(PAGE);
  private static final byte[] NAME = {'b'};

  private final SimDisk disk = new SimDisk();
  private Contents newest;
  private Contents before;
  private Meta meta;

  @BeforeEach
  void makeDatabase() throws Exception {
    make(true);
  }

  private void make(boolean syncFreelist) throws Exception {
    disk.delete(FILE);
    try (Bolt bolt = Bolt.open(disk, FILE, OPTIONS.withSyncFreelist(syncFreelist))) {
      for (int i = 0; i < 3; i++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(NAME);
          for (int j = 0; j < 2000; j++) {
            bucket.put(key(j), new byte[] {(byte) i, (byte) j});
          }
          bucket.setSequence(i);
          tx.createBucketIfAbsent(new byte[] {'c'}).createBucketIfAbsent(new byte[] {'d'}).put(NAME, new byte[i]);
          tx.commit();
        }
        before = newest;
        try (ReadTx tx = bolt.beginRead()) {
          newest = Contents.of(tx.root());
          meta = tx.meta();
        }
      }
    }
  }

  private static byte[] key(int j) {
    return new byte[] {'k', (byte) (j >>> 8), (byte) j};
  }

  private void damage(Consumer<ByteBuffer> how) throws Exception {
    byte[] bytes = disk.contents(FILE);
    how.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    disk.store(FILE, bytes);
  }

  private Contents read(Path file) throws Exception {
    try (Bolt bolt = Bolt.open(disk, file, OPTIONS)) {
      Contents contents;
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(Checker.findings(tx)).isEmpty();
        contents = Contents.of(tx.root());
      }
      bolt.beginWrite().commit();
      BoltAudit.check(bolt);
      return contents;
    }
  }

  /// The page at which the tree of bucket `b` begins.
  private long rootOfBucket() throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      return tx.bucket(NAME).rootId;
    }
  }

  @Test
  void revertingGoesBackByOneTransactionOnly() throws Exception {
    assertThat(Surgery.revertMeta(disk, FILE, COPY)).isEqualTo(meta.txid() - 1);
    assertThat(read(COPY)).isEqualTo(before);
    assertThat(read(FILE)).isEqualTo(newest);
  }

  @Test
  void revertingNeedsAnOlderState() throws Exception {
    int older = (int) ((meta.txid() + 1) % 2) * PAGE;
    damage(b -> b.put(older + 50, (byte) 99));
    assertThatThrownBy(() -> Surgery.revertMeta(disk, FILE, COPY))
        .isInstanceOf(CorruptionException.class)
        .hasMessageContaining("no older meta page to revert to: checksum error");
    assertThat(disk.exists(COPY)).isFalse();
    assertThat(Surgery.metas(disk, FILE))
        .extracting(Surgery.MetaFinding::isValid)
        .containsExactlyInAnyOrder(true, false);
  }

  @Test
  void aListThatNamesPagesInUseIsAbandonedAndBuiltAnew() throws Exception {
    long root = rootOfBucket();
    damage(b -> b.putLong((int) meta.freelist() * PAGE + 16, root));
    assertThatThrownBy(() -> Bolt.open(disk, FILE, OPTIONS)).isInstanceOf(CorruptionException.class);
    assertThatThrownBy(() -> Surgery.rebuildFreelist(disk, FILE, COPY))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("already has freelist");
    Surgery.abandonFreelist(disk, FILE, COPY);
    Path rebuilt = Path.of("/rebuilt");
    Surgery.rebuildFreelist(disk, COPY, rebuilt);
    try (Bolt bolt = Bolt.open(disk, rebuilt, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      assertThat(tx.hasFreelist()).isTrue();
      assertThat(Checker.findings(tx)).isEmpty();
    }
    assertThat(read(COPY)).isEqualTo(newest);
    assertThat(read(rebuilt)).isEqualTo(newest);
  }

  @Test
  void anythingOnlyEverWritesToFilesThatAreNotThereYet() throws Exception {
    disk.store(COPY, new byte[] {1});
    assertThatThrownBy(() -> Surgery.revertMeta(disk, FILE, COPY)).isInstanceOf(FileAlreadyExistsException.class);
    assertThatThrownBy(() -> Surgery.abandonFreelist(disk, FILE, COPY)).isInstanceOf(FileAlreadyExistsException.class);
    assertThatThrownBy(() -> Salvage.run(disk, FILE, COPY, true)).isInstanceOf(FileAlreadyExistsException.class);
    assertThat(disk.contents(COPY)).containsExactly(1);
  }

  @Test
  void aFileBeingWrittenIsLeftAlone() throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, OPTIONS)) {
      assertThatThrownBy(() -> Salvage.run(disk, FILE, COPY, true)).isInstanceOf(FileLockedException.class);
      assertThatThrownBy(() -> Surgery.revertMeta(disk, FILE, COPY)).isInstanceOf(FileLockedException.class);
      assertThat(bolt.openReaders()).isZero();
    }
  }

  @Test
  void aSoundFileIsSalvagedWhole() throws Exception {
    SalvageReport report = Salvage.run(disk, FILE, COPY, true);
    assertThat(report.losses()).isEmpty();
    assertThat(report.isComplete()).isTrue();
    assertThat(report.keys()).isEqualTo(2001);
    assertThat(report.buckets()).isEqualTo(3);
    assertThat(read(COPY)).isEqualTo(newest);
  }

  @Test
  void aLostLeafCostsItsKeysAndItsPlaceIsTold() throws Exception {
    long[] leaf = new long[1];
    int[] keys = new int[1];
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      Pages pages = tx.pages();
      leaf[0] = leafBelow(pages, tx.bucket(NAME).rootId);
      keys[0] = pages.count(pages.at(leaf[0]));
    }
    damage(b -> b.putShort((int) leaf[0] * PAGE + 8, (short) 0x77));
    SalvageReport report = Salvage.run(disk, FILE, COPY, false);
    assertThat(report.losses()).hasSize(1);
    assertThat(report.losses().getFirst().offset()).isEqualTo(leaf[0] * PAGE);
    assertThat(report.losses().getFirst().what()).contains("invalid type").contains("keys of bucket 0x62 from 0x6b");
    assertThat(report.keys()).isEqualTo(2001 - keys[0]);
    assertThat(report.isComplete()).isFalse();
    Contents saved = read(COPY);
    saved.nested.get(Bytes.wrap(NAME)).values.forEach(
        (key, value) -> assertThat(newest.nested.get(Bytes.wrap(NAME)).values).containsEntry(key, value));
  }

  /// Keys are dense here: a bit that flips in one, in whichever direction, puts it out of order.
  @Test
  void aRottenKeyIsToldAndNotKept() throws Exception {
    long leaf;
    int middle;
    long keyAt;
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      Pages pages = tx.pages();
      leaf = leafBelow(pages, tx.bucket(NAME).rootId);
      middle = pages.count(pages.at(leaf)) / 2;
      keyAt = pages.leafKeyAt(Pages.element(pages.at(leaf), middle), pages.end(pages.at(leaf)));
    }
    byte[] sound = disk.contents(FILE);
    for (int bit = 0; bit < 24; bit++) {
      disk.delete(COPY);
      byte[] rotten = sound.clone();
      rotten[(int) keyAt + bit / 8] ^= (byte) (1 << bit % 8);
      disk.store(FILE, rotten);
      SalvageReport report = Salvage.run(disk, FILE, COPY, true);
      assertThat(report.losses()).as("bit %d", bit).hasSize(1);
      assertThat(report.losses().getFirst().what()).contains("is out of order", "on leaf page " + leaf);
      assertThat(report.keys()).isEqualTo(2000);
      assertThat(newest.nested.get(Bytes.wrap(NAME)).values.entrySet())
          .containsAll(read(COPY).nested.get(Bytes.wrap(NAME)).values.entrySet());
    }
  }

  @Test
  void aRottenKeyInABranchIsToldAndCostsNothing() throws Exception {
    long keyAt;
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      Pages pages = tx.pages();
      long root = pages.at(tx.bucket(NAME).rootId);
      keyAt = pages.branchKeyAt(Pages.element(root, pages.count(root) / 2), pages.end(root));
    }
    damage(b -> b.put((int) keyAt, (byte) 0xFF));
    SalvageReport report = Salvage.run(disk, FILE, COPY, true);
    assertThat(report.isComplete()).isFalse();
    assertThat(report.losses()).allSatisfy(loss -> assertThat(loss.what()).contains("nothing is lost"));
    assertThat(read(COPY)).isEqualTo(newest);
  }

  private static long leafBelow(Pages pages, long id) throws Exception {
    long at = pages.at(id);
    return pages.isBranch(at) ? leafBelow(pages, pages.child(Pages.element(at, 1))) : id;
  }

  @Test
  void aLostBranchCostsAllBelowUnlessStrayLeavesAreTaken() throws Exception {
    make(false);
    long root = rootOfBucket();
    damage(b -> b.putLong((int) root * PAGE, 12345));
    SalvageReport without = Salvage.run(disk, FILE, COPY, false);
    assertThat(without.keys()).isEqualTo(1);
    assertThat(without.losses()).extracting(SalvageReport.Loss::offset).containsExactly(root * PAGE);
    disk.delete(COPY);
    SalvageReport with = Salvage.run(disk, FILE, COPY, true);
    assertThat(with.strayKeys()).isGreaterThanOrEqualTo(1990);
    assertThat(with.isComplete()).isFalse();
    Contents saved = read(COPY);
    assertThat(saved.nested.get(Bytes.wrap(NAME)).values).hasSize((int) with.strayKeys());
    assertThat(newest.nested.get(Bytes.wrap(NAME)).values.keySet())
        .containsAll(saved.nested.get(Bytes.wrap(NAME)).values.keySet());
  }

  @Test
  void withoutTheRootOfAllTheStateBeforeIsSaved() throws Exception {
    damage(b -> b.putLong((int) meta.root() * PAGE, 12345));
    SalvageReport report = Salvage.run(disk, FILE, COPY, false);
    assertThat(report.losses()).extracting(SalvageReport.Loss::offset).containsExactly(meta.root() * PAGE);
    assertThat(report.txid()).isEqualTo(meta.txid() - 1);
    assertThat(read(COPY)).isEqualTo(before);
  }

  @Test
  void aFileWithoutItsEndIsSalvagedAsFarAsItGoes() throws Exception {
    byte[] bytes = disk.contents(FILE);
    disk.store(FILE, java.util.Arrays.copyOf(bytes, (int) (meta.pageCount() * PAGE * 2 / 3)));
    assertThatThrownBy(() -> Bolt.open(disk, FILE, OPTIONS)).isInstanceOf(CorruptionException.class);
    SalvageReport report = Salvage.run(disk, FILE, COPY, true);
    assertThat(report.losses().getFirst().what()).contains("file ends here");
    read(COPY);
  }

  @Test
  void pagesThatHoldEachOtherAreNoTrap() throws Exception {
    long root = rootOfBucket();
    damage(b -> b.putLong((int) root * PAGE + 16 + 8, root));
    SalvageReport report = Salvage.run(disk, FILE, COPY, false);
    assertThat(report.losses()).anyMatch(loss -> loss.what().contains("multiple references"));
    read(COPY);
    assertThatThrownBy(() -> Bolt.open(disk, FILE, OPTIONS)).isInstanceOf(CorruptionException.class);
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      assertThat(Checker.findings(tx)).anyMatch(finding -> finding.contains("multiple references"));
      assertThatThrownBy(() -> tx.bucket(NAME).get(key(0))).isInstanceOf(CorruptionException.class);
    }
  }

  @Test
  void withoutAMetaPageThereIsNoBeginning() throws Exception {
    damage(b -> b.put(20, (byte) 9).put(PAGE + 20, (byte) 9));
    assertThatThrownBy(() -> Salvage.run(disk, FILE, COPY, true))
        .isInstanceOf(CorruptionException.class)
        .hasMessageContaining("neither meta page is valid");
    assertThat(List.of(Surgery.metas(disk, FILE))).noneMatch(Surgery.MetaFinding::isValid);
  }
}
