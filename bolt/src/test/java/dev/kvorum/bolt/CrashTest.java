package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The disk fails and the power goes, at any write or sync.
class CrashTest {
  private static final byte[] NAME = {'b'};
  private static final Path FILE = Path.of("db");

  @Test
  void afterACrashTheFileHoldsTheLastStateOrTheOneBeingCommitted() throws Exception {
    for (long seed : Seed.seeds(60)) {
      Seed.run(seed, CrashTest::run);
    }
  }

  private static void run(SplittableRandom random) throws Exception {
    MemoryDisk disk = new MemoryDisk();
    BoltOptions options = BoltOptions.defaults().withInitialMapBytes(0).withSyncFreelist(random.nextBoolean())
        .withPageSize(random.nextBoolean() ? 1024 : 4096);
    TreeMap<Bytes, Bytes> committed = new TreeMap<>();
    for (int life = 0; life < 4; life++) {
      Bolt bolt = Bolt.open(disk, FILE, options);
      disk.operationsUntilFailure = random.nextInt(40);
      TreeMap<Bytes, Bytes> changed = committed;
      boolean failed = false;
      while (!failed) {
        changed = new TreeMap<>(committed);
        WriteTx tx = bolt.beginWrite();
        change(random, tx.createBucketIfAbsent(NAME), changed);
        try {
          tx.commit();
          committed = changed;
        } catch (IOException e) {
          failed = true;
        }
      }
      assertThatThrownBy(bolt::beginWrite).isInstanceOf(IOException.class).hasMessageContaining("unusable");
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(contents(tx)).isEqualTo(committed);
      }
      disk.crash(random);
      committed = reopened(disk, options, committed, changed);
    }
  }

  private static void change(SplittableRandom random, Bucket bucket, TreeMap<Bytes, Bytes> model) throws Exception {
    int changes = random.nextInt(300);
    for (int i = 0; i < changes; i++) {
      byte[] key = {(byte) random.nextInt(8), (byte) random.nextInt(256)};
      if (random.nextInt(3) == 0) {
        bucket.delete(key);
        model.remove(Bytes.wrap(key));
      } else {
        byte[] value = new byte[random.nextInt(200)];
        random.nextBytes(value);
        bucket.put(key, value);
        model.put(Bytes.wrap(key), Bytes.wrap(value));
      }
    }
  }

  private static TreeMap<Bytes, Bytes> reopened(
      MemoryDisk disk, BoltOptions options, TreeMap<Bytes, Bytes> committed, TreeMap<Bytes, Bytes> changed)
      throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, options); ReadTx tx = bolt.beginRead()) {
      assertThat(Checker.findings(tx)).isEmpty();
      BoltAudit.check(bolt);
      TreeMap<Bytes, Bytes> found = contents(tx);
      assertThat(found).isIn(committed, changed);
      return found;
    }
  }

  private static TreeMap<Bytes, Bytes> contents(ReadTx tx) throws Exception {
    TreeMap<Bytes, Bytes> contents = new TreeMap<>();
    Bucket bucket = tx.bucket(NAME);
    if (bucket != null) {
      Cursor cursor = bucket.cursor();
      while (cursor.next()) {
        contents.put(Bytes.wrap(cursor.key()), Bytes.wrap(cursor.value()));
      }
    }
    return contents;
  }

  @Test
  void dataIsSyncedBeforeTheMetaPageAndTheMetaPageBeforeCommitReturns() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.defaults().withInitialMapBytes(0))) {
      MemoryDisk.Content content = disk.content(FILE);
      int syncs = content.syncs;
      try (WriteTx tx = bolt.beginWrite()) {
        tx.createBucket(NAME).put(NAME, new byte[5000]);
        assertThat(content.unsynced).isEmpty();
        tx.commit();
      }
      assertThat(content.syncs - syncs).isEqualTo(2);
      assertThat(content.unsynced).isEmpty();
    }
  }
}
