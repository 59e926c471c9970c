package dev.kvorum.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.env.RealDisk;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BoltTest {
  private static final BoltOptions FAST = BoltOptions.defaults().withNoSync(true);

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("db");
  }

  private Bolt open(BoltOptions options) throws Exception {
    return Bolt.open(new RealDisk(), file, options);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static byte[] number(int n) {
    return bytes("%08d".formatted(n));
  }

  private static void assertSound(Bolt bolt) throws Exception {
    try (ReadTx tx = bolt.beginRead()) {
      assertThat(Checker.findings(tx)).isEmpty();
    }
    BoltAudit.check(bolt);
  }

  @Test
  void changesAreSeenByTheWriterAtOnceByReadersAfterCommitAndNeverAfterRollback() throws Exception {
    try (Bolt bolt = open(FAST)) {
      WriteTx tx = bolt.beginWrite();
      Bucket bucket = tx.createBucket(bytes("b"));
      bucket.put(bytes("k"), bytes("v"));
      assertThat(bucket.get(bytes("k"))).isEqualTo(bytes("v"));
      try (ReadTx read = bolt.beginRead()) {
        assertThat(read.bucket(bytes("b"))).isNull();
      }
      tx.commit();
      try (WriteTx other = bolt.beginWrite()) {
        other.bucket(bytes("b")).put(bytes("k"), bytes("w"));
      }
      try (ReadTx read = bolt.beginRead()) {
        assertThat(read.bucket(bytes("b")).get(bytes("k"))).isEqualTo(bytes("v"));
        assertThat(read.id()).isEqualTo(tx.id());
      }
    }
  }

  @Test
  void stateSurvivesReopening() throws Exception {
    try (Bolt bolt = open(BoltOptions.defaults()); WriteTx tx = bolt.beginWrite()) {
      tx.createBucket(bytes("b")).put(bytes("k"), bytes("v"));
      tx.commit();
    }
    try (Bolt bolt = open(BoltOptions.reading()); ReadTx read = bolt.beginRead()) {
      assertThat(read.bucket(bytes("b")).get(bytes("k"))).isEqualTo(bytes("v"));
    }
  }

  @Test
  void misuseIsABugOfTheCaller() throws Exception {
    try (Bolt bolt = open(FAST)) {
      WriteTx tx = bolt.beginWrite();
      assertThatThrownBy(bolt::beginWrite).isInstanceOf(InvariantViolation.class);
      Bucket bucket = tx.createBucket(bytes("b"));
      assertThatThrownBy(() -> tx.createBucket(bytes("b"))).isInstanceOf(InvariantViolation.class);
      assertThatThrownBy(() -> tx.root().put(bytes("b"), bytes("v"))).isInstanceOf(InvariantViolation.class);
      assertThatThrownBy(() -> tx.root().delete(bytes("b"))).isInstanceOf(InvariantViolation.class);
      assertThatThrownBy(() -> bucket.put(new byte[0], bytes("v"))).isInstanceOf(InvariantViolation.class);
      assertThatThrownBy(() -> bucket.put(new byte[32769], bytes("v"))).isInstanceOf(InvariantViolation.class);
      bucket.put(new byte[32768], bytes("longest"));
      Cursor cursor = bucket.cursor();
      assertThatThrownBy(cursor::key).isInstanceOf(InvariantViolation.class);
      cursor.first();
      bucket.put(bytes("k"), bytes("v"));
      assertThatThrownBy(cursor::next).isInstanceOf(InvariantViolation.class);
      tx.commit();
      assertThatThrownBy(() -> bucket.get(bytes("k"))).isInstanceOf(InvariantViolation.class);
      assertThatThrownBy(tx::commit).isInstanceOf(InvariantViolation.class);
      ReadTx read = bolt.beginRead();
      Bucket readable = read.bucket(bytes("b"));
      assertThatThrownBy(() -> readable.put(bytes("k"), bytes("v"))).isInstanceOf(InvariantViolation.class);
      read.close();
      read.close();
      assertThat(bolt.openReaders()).isZero();
      assertThatThrownBy(() -> readable.get(bytes("k"))).isInstanceOf(InvariantViolation.class);
    }
  }

  @Test
  void bucketsUpToAQuarterPageAreInline() throws Exception {
    try (Bolt bolt = open(FAST)) {
      try (WriteTx tx = bolt.beginWrite()) {
        tx.createBucket(bytes("fits")).put(bytes("k"), new byte[1024 - 16 - 16 - 1]);
        tx.createBucket(bytes("over")).put(bytes("k"), new byte[1024 - 16 - 16]);
        tx.createBucket(bytes("zero"));
        tx.commit();
      }
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.bucket(bytes("fits")).rootId).isZero();
        assertThat(tx.bucket(bytes("over")).rootId).isNotZero();
        assertThat(tx.bucket(bytes("fits")).get(bytes("k"))).hasSize(991);
        Cursor cursor = tx.cursor();
        cursor.last();
        assertThat(cursor.value()).hasSize(32);
      }
      try (WriteTx tx = bolt.beginWrite()) {
        tx.bucket(bytes("over")).put(bytes("k"), bytes("short again"));
        tx.bucket(bytes("fits")).put(bytes("l"), bytes("one more"));
        tx.commit();
      }
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.bucket(bytes("fits")).rootId).isNotZero();
        assertThat(tx.bucket(bytes("over")).rootId).isZero();
        assertThat(tx.bucket(bytes("over")).get(bytes("k"))).isEqualTo(bytes("short again"));
      }
      assertSound(bolt);
    }
  }

  @Test
  void valuesMayBeEmptyOrSpanManyPages() throws Exception {
    byte[] big = new byte[5 << 20];
    big[0] = 1;
    big[big.length - 1] = 2;
    try (Bolt bolt = open(FAST)) {
      for (int i = 0; i < 4; i++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(bytes("b"));
          bucket.put(bytes("big" + i), big);
          bucket.put(bytes("none" + i), new byte[0]);
          tx.commit();
        }
        assertSound(bolt);
      }
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.bucket(bytes("b")).get(bytes("big3"))).isEqualTo(big);
        assertThat(tx.bucket(bytes("b")).get(bytes("none0"))).isEmpty();
      }
      try (WriteTx tx = bolt.beginWrite()) {
        tx.deleteBucket(bytes("b"));
        tx.commit();
      }
      bolt.beginWrite().commit();
      assertSound(bolt);
      assertThat(bolt.stats().freePages()).isGreaterThan(4 * 1280);
    }
  }

  @Test
  void aTreeGrowsByAscendingAndRandomPutsAndShrinksToNothing() throws Exception {
    try (Bolt bolt = open(FAST.withPageSize(1024))) {
      for (int round = 0; round < 4; round++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(bytes("b"));
          for (int i = 0; i < 20_000; i++) {
            bucket.put(number((i * 7919) % 20_000), number(i));
          }
          tx.commit();
        }
        assertSound(bolt);
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.bucket(bytes("b"));
          for (int i = 0; i < 20_000; i++) {
            if (i % 100 != round) {
              assertThat(bucket.delete(number(i))).isTrue();
            }
          }
          tx.commit();
        }
        assertSound(bolt);
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.bucket(bytes("b"));
          Cursor cursor = bucket.cursor();
          int left = 0;
          while (cursor.next()) {
            cursor.delete();
            left++;
          }
          assertThat(left).isEqualTo(200);
          tx.commit();
        }
        assertSound(bolt);
      }
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.bucket(bytes("b")).cursor().first()).isFalse();
        assertThat(tx.bucket(bytes("b")).rootId).isZero();
      }
      assertThat(bolt.stats().pageCount()).isLessThan(4000);
    }
  }

  @Test
  void ascendingPutsFillPagesAsAsked() throws Exception {
    try (Bolt bolt = open(FAST)) {
      for (int commit = 0; commit < 10; commit++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(bytes("b"));
          bucket.fillPercent(0.9);
          for (int i = 0; i < 10_000; i++) {
            bucket.put(number(commit * 10_000 + i), new byte[100]);
          }
          tx.commit();
        }
      }
      assertSound(bolt);
      long least = 100_000L * (16 + 8 + 100) / 4096;
      assertThat(bolt.stats().inUseBytes() / 4096).isBetween(least, least * 100 / 85);
    }
  }

  @Test
  void aReaderKeepsItsStateWhileTheFileStaysBounded() throws Exception {
    try (Bolt bolt = open(FAST)) {
      try (WriteTx tx = bolt.beginWrite()) {
        fill(tx, 0);
        tx.commit();
      }
      ReadTx old = bolt.beginRead();
      long pagesAfterWarmup = 0;
      for (int round = 1; round <= 200; round++) {
        ReadTx recent = bolt.beginRead();
        try (WriteTx tx = bolt.beginWrite()) {
          fill(tx, round);
          tx.commit();
        }
        recent.close();
        if (round == 10) {
          pagesAfterWarmup = bolt.stats().pageCount();
        }
      }
      assertFilled(old, 0);
      assertThat(Checker.findings(old)).isEmpty();
      assertThat(bolt.stats().pageCount()).isLessThanOrEqualTo(pagesAfterWarmup + 10);
      assertSound(bolt);
      old.close();
      bolt.beginWrite().commit();
      bolt.beginWrite().commit();
      assertThat(bolt.stats().pendingPages()).isLessThan(5);
      assertThat(bolt.stats().freePages()).isGreaterThan(bolt.stats().pageCount() / 2);
      try (ReadTx now = bolt.beginRead()) {
        assertFilled(now, 200);
      }
    }
  }

  private static void fill(WriteTx tx, int round) throws Exception {
    Bucket bucket = tx.createBucketIfAbsent(bytes("b"));
    for (int i = 0; i < 500; i++) {
      bucket.put(number(i), number(round));
    }
  }

  private static void assertFilled(ReadTx tx, int round) throws Exception {
    Cursor cursor = tx.bucket(bytes("b")).cursor();
    for (int i = 0; i < 500; i++) {
      assertThat(cursor.next()).isTrue();
      assertThat(cursor.key()).isEqualTo(number(i));
      assertThat(cursor.value()).isEqualTo(number(round));
    }
    assertThat(cursor.next()).isFalse();
  }

  @Test
  void aReaderOutlivesRemappingAndClosing() throws Exception {
    Bolt bolt = open(FAST.withInitialMapBytes(0));
    try (WriteTx tx = bolt.beginWrite()) {
      fill(tx, 0);
      tx.commit();
    }
    ReadTx old = bolt.beginRead();
    long mappedBefore = bolt.stats().mappedBytes();
    for (int i = 0; i < 40; i++) {
      try (WriteTx tx = bolt.beginWrite()) {
        tx.bucket(bytes("b")).put(bytes("big" + i), new byte[1 << 20]);
        tx.commit();
      }
    }
    assertThat(bolt.stats().mappedBytes()).isGreaterThan(mappedBefore);
    assertThat(bolt.fileSizeBytes()).isGreaterThanOrEqualTo(bolt.stats().sizeBytes());
    ReadTx recent = bolt.beginRead();
    bolt.close();
    assertFilled(old, 0);
    assertThat(recent.bucket(bytes("b")).get(bytes("big39"))).hasSize(1 << 20);
    assertThatThrownBy(bolt::beginRead).isInstanceOf(InvariantViolation.class);
    MemorySegment inPlace = recent.bucket(bytes("b")).getSegment(number(3));
    assertThat(inPlace.get(ValueLayout.JAVA_BYTE, 7)).isEqualTo((byte) '0');
    old.close();
    recent.close();
    assertThatThrownBy(() -> inPlace.get(ValueLayout.JAVA_BYTE, 7)).isInstanceOf(IllegalStateException.class);
    try (Bolt again = open(FAST)) {
      assertSound(again);
    }
  }

  @Test
  void aListOfMoreThan65534FreePagesIsWrittenAndRead() throws Exception {
    BoltOptions options = FAST.withSyncFreelist(true).withPageSize(1024);
    try (Bolt bolt = open(options)) {
      try (WriteTx tx = bolt.beginWrite()) {
        Bucket bucket = tx.createBucket(bytes("b"));
        for (int i = 0; i < 70; i++) {
          bucket.put(number(i), new byte[1 << 20]);
        }
        tx.commit();
      }
      try (WriteTx tx = bolt.beginWrite()) {
        tx.deleteBucket(bytes("b"));
        tx.commit();
      }
      assertSound(bolt);
    }
    try (Bolt bolt = open(options)) {
      assertThat(bolt.stats().freePages()).isGreaterThan(70_000);
      assertSound(bolt);
    }
    try (Bolt bolt = open(FAST)) {
      bolt.beginWrite().commit();
      assertSound(bolt);
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.meta().hasFreelist()).isFalse();
      }
    }
  }

  @Test
  void oneWriterOrManyReadersHoldTheFile() throws Exception {
    try (Bolt writer = open(FAST)) {
      assertThatThrownBy(() -> open(FAST)).isInstanceOf(FileLockedException.class);
      assertThatThrownBy(() -> open(BoltOptions.reading())).isInstanceOf(FileLockedException.class);
      assertThat(writer.openReaders()).isZero();
    }
    try (Bolt one = open(BoltOptions.reading()); Bolt two = open(BoltOptions.reading())) {
      assertThatThrownBy(() -> open(FAST)).isInstanceOf(FileLockedException.class);
      assertThatThrownBy(one::beginWrite).isInstanceOf(InvariantViolation.class);
      two.beginRead().close();
    }
  }

  @Test
  void aReadOnlyOpenCreatesNothing() {
    assertThatThrownBy(() -> open(BoltOptions.reading())).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void anEarlierStateIsUsedWhenTheNewestMetaIsTorn() throws Exception {
    for (int pageSize : new int[] {1024, 4096, 65536}) {
      Files.deleteIfExists(file);
      long newest;
      try (Bolt bolt = open(FAST.withPageSize(pageSize))) {
        for (int i = 0; i < 4; i++) {
          try (WriteTx tx = bolt.beginWrite()) {
            fill(tx, i);
            tx.commit();
          }
        }
        newest = bolt.stats().txid();
      }
      byte[] bytes = Files.readAllBytes(file);
      int at = (int) (newest % 2) * pageSize;
      bytes[at + 16 + 40]++;
      Files.write(file, bytes);
      try (Bolt bolt = open(FAST); ReadTx tx = bolt.beginRead()) {
        assertThat(bolt.pageSize()).isEqualTo(pageSize);
        assertThat(tx.id()).isEqualTo(newest - 1);
        assertFilled(tx, 2);
        assertSound(bolt);
      }
      bytes[(pageSize - at) % (2 * pageSize) + 16]++;
      Files.write(file, bytes);
      assertThatThrownBy(() -> open(FAST)).isInstanceOf(CorruptionException.class).hasMessageContaining("db");
    }
  }

  @Test
  void filesThatAreNoDatabaseAreRefused() throws Exception {
    byte[] ones = new byte[50];
    Arrays.fill(ones, (byte) 1);
    Files.write(file, ones);
    assertThatThrownBy(() -> open(FAST)).isInstanceOf(CorruptionException.class).hasMessageContaining("too short");
    Files.write(file, new byte[100_000]);
    assertThatThrownBy(() -> open(FAST))
        .isInstanceOf(CorruptionException.class)
        .hasMessageContaining("invalid database");
    Files.delete(file);
    try (Bolt bolt = open(FAST); WriteTx tx = bolt.beginWrite()) {
      fill(tx, 0);
      tx.commit();
    }
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, 5 * 4096));
    assertThatThrownBy(() -> open(FAST)).isInstanceOf(CorruptionException.class).hasMessageContaining("ends before");
  }

  @Test
  void anEmptyCommitMakesANewState() throws Exception {
    try (Bolt bolt = open(FAST)) {
      long before = bolt.stats().txid();
      CommitStats stats = bolt.beginWrite().commit();
      assertThat(stats.txid()).isEqualTo(before + 1);
      assertThat(stats.pagesWritten()).isZero();
      assertSound(bolt);
    }
  }
}
