package dev.kvorum.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.RealDisk;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Snapshots and compaction.
class CopyTest {
  private static final BoltOptions FAST = BoltOptions.defaults().withNoSync(true);

  @TempDir Path directory;

  private Bolt open(String name) throws Exception {
    return Bolt.open(new RealDisk(), directory.resolve(name), FAST);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  /// Three buckets, one of them nested, with holes between their pages.
  private static void fill(Bolt bolt) throws Exception {
    for (int round = 0; round < 3; round++) {
      try (WriteTx tx = bolt.beginWrite()) {
        Bucket bucket = tx.createBucketIfAbsent(bytes("a"));
        for (int i = 0; i < 12_000; i++) {
          bucket.put(bytes("%06d".formatted(i)), new byte[(i + round) % 90]);
        }
        bucket.createBucketIfAbsent(bytes("nested")).put(bytes("k"), new byte[round * 500]);
        bucket.createBucketIfAbsent(bytes("nested")).createBucketIfAbsent(bytes("deep")).put(bytes("k"), bytes("v"));
        tx.createBucketIfAbsent(bytes("small")).put(bytes("k"), bytes("v"));
        tx.createBucketIfAbsent(bytes("void"));
        tx.commit();
      }
    }
  }

  private static String dump(Bucket bucket) throws Exception {
    StringBuilder text = new StringBuilder();
    Cursor cursor = bucket.cursor();
    while (cursor.next()) {
      text.append(new String(cursor.key(), UTF_8));
      if (cursor.isBucket()) {
        text.append(" {").append(dump(bucket.bucket(cursor.key()))).append("} ");
      } else {
        text.append('=').append(cursor.valueLength()).append(' ');
      }
    }
    return text.toString();
  }

  @Test
  void aSnapshotIsTheReadersStateWhateverIsWrittenMeanwhile() throws Exception {
    try (Bolt bolt = open("db")) {
      fill(bolt);
      String expected;
      ByteArrayOutputStream copy = new ByteArrayOutputStream();
      try (ReadTx tx = bolt.beginRead()) {
        expected = dump(tx.root());
        SnapshotReader snapshot = tx.snapshot();
        assertThat(snapshot.sizeBytes()).isEqualTo(tx.sizeBytes());
        ByteBuffer chunk = ByteBuffer.allocate(10_007);
        while (snapshot.read(chunk) >= 0) {
          copy.write(chunk.array(), 0, chunk.position());
          chunk.clear();
          fill(bolt);
          if (copy.size() > 200_000) {
            chunk = ByteBuffer.allocate(1 << 20);
          }
        }
        assertThat(snapshot.remainingBytes()).isZero();
        assertThat(copy.size()).isEqualTo(snapshot.sizeBytes());
        assertThat(Meta.read(ByteBuffer.wrap(copy.toByteArray())).meta().txid()).isEqualTo(tx.id());
      }
      Files.write(directory.resolve("copy"), copy.toByteArray());
      try (Bolt copied = open("copy"); ReadTx tx = copied.beginRead()) {
        assertThat(Checker.findings(tx)).isEmpty();
        assertThat(dump(tx.root())).isEqualTo(expected);
        fill(copied);
        BoltAudit.check(copied);
      }
    }
  }

  @Test
  void compactionCopiesAllInBoundedStepsWhileTheSourceIsWritten() throws Exception {
    try (Bolt source = open("db"); Bolt target = open("compact")) {
      fill(source);
      try (ReadTx tx = source.beginRead()) {
        String expected = dump(tx.root());
        try (Compaction compaction = Compaction.begin(tx, target)) {
          int steps = 0;
          while (!compaction.step(1000)) {
            assertThat(compaction.keysCopied()).isEqualTo(++steps * 1000L);
            if (steps % 5 == 0) {
              fill(source);
            }
          }
          assertThat(compaction.keysCopied()).isEqualTo(12_000 + 8);
        }
        try (ReadTx copied = target.beginRead()) {
          assertThat(dump(copied.root())).isEqualTo(expected);
          assertThat(Checker.findings(copied)).isEmpty();
        }
      }
      BoltAudit.check(target);
      assertThat(target.stats().sizeBytes()).isLessThan(source.stats().inUseBytes());
    }
  }

  @Test
  void anAbandonedCompactionLeavesTheTargetUsable() throws Exception {
    try (Bolt source = open("db"); Bolt target = open("compact")) {
      fill(source);
      try (ReadTx tx = source.beginRead(); Compaction compaction = Compaction.begin(tx, target)) {
        compaction.step(11_000);
      }
      BoltAudit.check(target);
      target.beginWrite().commit();
    }
  }
}
