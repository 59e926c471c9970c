package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random transactions against sorted maps, of which one is kept for each transaction that a reader still reads.
///
/// Readers begin at any version and stay for any time; each is compared in full with the map of its version now and
/// then, and when it ends. After each commit the checker looks at the newest state, and all pages are accounted for.
/// `-Dkvorum.modelRuns=` asks for more runs than a build has time for.
class VersionsTest {
  private static final int ROUNDS = 100;

  @TempDir Path directory;

  private record Reader(ReadTx tx, int untilRound) {}

  /// One database and what it should hold.
  private static final class Run {
    final SplittableRandom random;
    final RandomChanges changes;
    final Path file;
    final BoltOptions options;
    final TreeMap<Long, Contents> versions = new TreeMap<>();
    final List<Reader> readers = new ArrayList<>();
    Bolt bolt;
    Contents newest = new Contents();

    Run(SplittableRandom random, Path file) throws Exception {
      this.random = random;
      this.file = file;
      options = BoltOptions.defaults().withNoSync(true).withPageSize(1024 << random.nextInt(7) * random.nextInt(2))
          .withInitialMapBytes(random.nextBoolean() ? 0 : 1 << 30);
      changes = new RandomChanges(random, 1 << random.nextInt(4, 13), 20_000);
      open();
      versions.put(bolt.stats().txid(), newest);
    }

    private void open() throws Exception {
      bolt = Bolt.open(new RealDisk(), file, options.withSyncFreelist(random.nextBoolean()));
      // opening may have committed a list of free pages
      versions.put(bolt.stats().txid(), newest);
    }

    void round(int round) throws Exception {
      write();
      if (random.nextInt(3) == 0) {
        readers.add(new Reader(bolt.beginRead(), round + (1 << random.nextInt(7))));
      }
      for (Reader reader : List.copyOf(readers)) {
        boolean ends = reader.untilRound <= round;
        if (ends || random.nextInt(10) == 0) {
          verify(reader.tx);
        }
        if (ends) {
          reader.tx.close();
          readers.remove(reader);
        }
      }
      versions.keySet().removeIf(version -> readers.stream().noneMatch(reader -> reader.tx.id() == version)
          && version != bolt.stats().txid());
      if (random.nextInt(25) == 0) {
        close();
        open();
        audit();
      }
    }

    private void write() throws Exception {
      WriteTx tx = bolt.beginWrite();
      Contents changed = newest.copy();
      changes.make(tx, changed, random.nextInt(8) == 0 ? 0 : 1 << random.nextInt(0, 11));
      if (random.nextInt(4) == 0) {
        assertSame(tx.root(), changed, random);
      }
      if (random.nextInt(5) == 0) {
        tx.rollback();
      } else {
        tx.commit();
        newest = changed;
        versions.put(tx.id(), changed);
        audit();
      }
    }

    private void verify(ReadTx tx) throws Exception {
      assertSame(tx.root(), versions.get(tx.id()), random);
      assertThat(Checker.findings(tx)).isEmpty();
    }

    private void audit() throws Exception {
      BoltAudit.check(bolt);
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(Checker.findings(tx)).isEmpty();
        assertThat(Contents.of(tx.root()).differenceFrom(newest)).isEmpty();
      }
    }

    void close() throws Exception {
      for (Reader reader : readers) {
        verify(reader.tx);
        reader.tx.close();
      }
      readers.clear();
      bolt.close();
    }
  }

  @Test
  void everyReaderSeesItsVersionWhateverIsWritten() throws Exception {
    int runs = Integer.getInteger("kvorum.modelRuns", 5);
    for (long seed : Seed.seeds(runs)) {
      Seed.run(seed, random -> {
        Run run = new Run(random, directory.resolve("model-" + Long.toHexString(seed)));
        for (int round = 0; round < ROUNDS; round++) {
          run.round(round);
        }
        run.close();
      });
    }
  }

  /// Compares by each way there is to read: cursors both ways, gets, seeks.
  private static void assertSame(Bucket bucket, Contents model, SplittableRandom random) throws Exception {
    assertThat(Contents.of(bucket).differenceFrom(model)).isEmpty();
    TreeMap<Bytes, Bytes> all = new TreeMap<>(model.values);
    model.nested.keySet().forEach(name -> all.put(name, Bytes.EMPTY));
    Cursor cursor = bucket.cursor();
    for (Map.Entry<Bytes, Bytes> entry : all.entrySet()) {
      assertThat(cursor.next()).isTrue();
      byte[] key = entry.getKey().array();
      if (cursor.isBucket()) {
        assertThat(bucket.get(key)).isNull();
      } else {
        byte[] value = bucket.get(key);
        assertThat(value != null && entry.getValue().equals(Bytes.wrap(value))).isTrue();
        assertThat(bucket.getSegment(key).byteSize()).isEqualTo(entry.getValue().size());
      }
    }
    assertThat(cursor.next()).isFalse();
    for (Bytes key : all.descendingKeySet()) {
      assertThat(cursor.previous()).isTrue();
      assertThat(Bytes.wrap(cursor.key()).equals(key)).isTrue();
    }
    assertThat(cursor.previous()).isFalse();
    assertSeeks(bucket, all, random);
    for (Map.Entry<Bytes, Contents> nested : model.nested.entrySet()) {
      assertSame(bucket.bucket(nested.getKey().array()), nested.getValue(), random);
    }
  }

  private static void assertSeeks(Bucket bucket, NavigableMap<Bytes, Bytes> all, SplittableRandom random)
      throws Exception {
    RandomChanges keys = new RandomChanges(random, 8192, 1);
    Cursor cursor = bucket.cursor();
    for (int i = 0; i < 20; i++) {
      byte[] key = keys.key();
      Bytes expected = all.ceilingKey(Bytes.wrap(key));
      assertThat(cursor.seek(key)).isEqualTo(expected != null);
      if (expected != null) {
        assertThat(Bytes.wrap(cursor.key())).isEqualTo(expected);
      }
      Bytes before = all.lowerKey(Bytes.wrap(key));
      assertThat(cursor.previous()).isEqualTo(before != null);
      if (before != null) {
        assertThat(Bytes.wrap(cursor.key())).isEqualTo(before);
      }
    }
  }
}
