package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.bolt.Dividers;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.RealDisk;
import dev.kvorum.env.ThreadLoops;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.RevisionKey;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file read in runs, by one or by many, gives the index that wrote it.
class RestoreTest {
  private static final int CHANGES = 40_000;
  private static final int KEYS = 3_000;

  @TempDir Path directory;

  private final long seed = Long.getLong("kvorum.seed", System.nanoTime());
  private final Random random = new Random(seed);

  @Test
  void whoeverReadsTheFileFindsWhatWasWritten() throws IOException {
    System.out.println("RestoreTest: -Dkvorum.seed=" + seed);
    Path file = directory.resolve("db");
    List<String> written;
    try (StoreRig rig = new StoreRig(file)) {
      write(rig);
      rig.store.compact(rig.store.currentRevision() / 2);
      rig.finishCompactions();
      written = described(rig.store);
    }
    try (Backend backend = Backend.open(new RealDisk(), file, StoreRig.UNSYNCED)) {
      assertThat(Dividers.of(backend.read().keys(), 8)).hasSize(7);
      Restore alone = Restore.from(backend, nobody -> {});
      Restore together = Restore.from(backend, new ThreadLoops(4).workers());
      assertThat(described(alone.index())).isEqualTo(written);
      assertThat(described(together.index())).isEqualTo(written);
      assertThat(together.leases()).isEqualTo(alone.leases()).isEqualTo(leases(alone.index(), backend));
      assertThat(together.lastRevision()).isEqualTo(alone.lastRevision());
      together.index().checkInvariants();
    }
  }

  /// As a rotten key between them makes two runs do.
  @Test
  void runsThatDoNotMeetAreRefused() throws IOException {
    Path file = directory.resolve("db");
    try (StoreRig rig = new StoreRig(file)) {
      write(rig);
    }
    try (Backend backend = Backend.open(new RealDisk(), file, StoreRig.UNSYNCED)) {
      RevisionRun first = new RevisionRun(backend, new byte[0], RevisionKey.encode(100, 0));
      RevisionRun second = new RevisionRun(backend, RevisionKey.encode(100, 0), RevisionKey.encode(200, 0));
      RevisionRun late = new RevisionRun(backend, RevisionKey.encode(102, 0), null);
      for (RevisionRun run : List.of(first, second, late)) {
        run.read();
      }
      assertThatCode(() -> first.requireFollowedBy(second)).doesNotThrowAnyException();
      assertThatThrownBy(() -> first.requireFollowedBy(late))
          .isInstanceOf(CorruptionException.class)
          .hasMessageContaining("out of order behind revision 99.");
    }
  }

  private void write(StoreRig rig) throws IOException {
    for (int i = 0; i < CHANGES; ) {
      KvTxn txn = rig.store.begin();
      for (int ops = random.nextInt(4) == 0 ? 20 : 1; ops > 0; ops--, i++) {
        Bytes key = Bytes.utf8("/registry/things/" + random.nextInt(random.nextBoolean() ? KEYS : 10));
        if (random.nextInt(4) == 0) {
          txn.deleteRange(KeyRange.single(key));
        } else {
          txn.put(key, Bytes.utf8("value " + i), random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 0);
        }
      }
      txn.end();
      if (random.nextInt(5_000) == 0) {
        rig.commit();
      }
    }
    rig.store.publish();
    rig.commit();
  }

  private static List<String> described(KvStore store) {
    return described(store.index());
  }

  private static List<String> described(KeyIndex index) {
    List<String> rows = new ArrayList<>();
    IndexView.Walk walk = index.peek().walk(KeyRange.from(Bytes.EMPTY));
    while (walk.next()) {
      KeyEntry entry = walk.entry();
      for (int i = 0; i <= entry.last(); i++) {
        rows.add(
            Bytes.wrap(walk.key()).toUtf8() + " " + entry.mainAt(i) + "." + entry.subAt(i) + " " + entry.isTombstone(i)
                + " created " + (entry.isTombstone(i) ? 0 : entry.createdAt(i))
                + " version " + (entry.isTombstone(i) ? 0 : entry.versionAt(i)));
      }
    }
    return rows;
  }

  /// What the newest records say.
  private static List<KeyLease> leases(KeyIndex index, Backend backend) throws IOException {
    List<KeyLease> leases = new ArrayList<>();
    IndexView.Walk walk = index.peek().walk(KeyRange.from(Bytes.EMPTY));
    while (walk.nextLive(IndexView.LATEST)) {
      long lease = StoredKv.decode(RevisionReader.read(backend.read(), walk.foundMain(), walk.foundSub())).lease();
      if (lease != 0) {
        leases.add(new KeyLease(Bytes.wrap(walk.key()), lease));
      }
    }
    return leases;
  }
}
