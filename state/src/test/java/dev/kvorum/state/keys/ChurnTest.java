package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A store written to without end, and compacted now and then, does not grow without end.
class ChurnTest {
  private static final int COMMITS = 3_000;
  private static final int KEYS = 300;

  @TempDir Path directory;

  private final long seed = Long.getLong("kvorum.seed", System.nanoTime());
  private final Random random = new Random(seed);

  /// Nobody defragments here: what a compaction deletes makes room for what is put next.
  @Test
  void compactionsMakeRoomForWhatIsPutNext() throws IOException {
    System.out.println("ChurnTest: -Dkvorum.seed=" + seed);
    long settled = 0;
    try (StoreRig rig = new StoreRig(directory.resolve("db"))) {
      for (int commit = 1; commit <= COMMITS; commit++) {
        KvTxn txn = rig.store.begin();
        for (int i = 0; i < 10; i++) {
          change(txn);
        }
        txn.end();
        rig.store.publish();
        rig.commit();
        if (commit % 20 == 0) {
          rig.store.compact(rig.store.currentRevision());
        }
        if (rig.store.compaction() != null) {
          rig.stepCompaction(3, 60);
        }
        if (commit == COMMITS / 6) {
          settled = rig.backend.size().bytes();
        }
      }
      assertThat(rig.backend.size().bytes()).as("seed " + seed).isLessThan(settled * 3 / 2);
      rig.store.checkInvariants();
    }
  }

  private void change(KvTxn txn) {
    Bytes key = Bytes.utf8("/key/" + random.nextInt(KEYS));
    if (random.nextInt(5) == 0) {
      txn.deleteRange(KeyRange.single(key));
    } else {
      txn.put(key, Bytes.wrap(new byte[random.nextInt(2000)]), 0);
    }
  }
}
