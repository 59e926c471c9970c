package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.sim.SimDisk;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Readers that stay open across thousands of commits: they keep what they see, and no more than that.
class LongReadersTest {
  private static final byte[] NAME = {'b'};
  private static final int KEYS = 400;
  private static final int PUTS = 20;
  private static final int COMMITS = 3000;

  private final SimDisk disk = new SimDisk();

  private Bolt open(boolean syncFreelist) throws Exception {
    return Bolt.open(disk, Path.of("/db"), BoltOptions.defaults().withInitialMapBytes(0).withNoSync(true)
        .withPageSize(1024).withSyncFreelist(syncFreelist));
  }

  private static void commit(Bolt bolt, SplittableRandom random, int stamp) throws Exception {
    try (WriteTx tx = bolt.beginWrite()) {
      Bucket bucket = tx.createBucketIfAbsent(NAME);
      for (int i = 0; i < PUTS; i++) {
        byte[] key = ByteBuffer.allocate(4).putInt(random.nextInt(KEYS)).array();
        int length = 50 + random.nextInt(50) + random.nextInt(40) / 39 * 3000;
        bucket.put(key, ByteBuffer.allocate(length).putInt(stamp).array());
      }
      tx.commit();
    }
  }

  /// One from the beginning, one each 500 commits, and a crowd that comes and goes.
  @Test
  void theirPagesAreNeverUsedAgainAndNoneBesides() throws Exception {
    for (long seed : Seed.seeds(1)) {
      Seed.run(seed, random -> {
        try (Bolt bolt = open(random.nextBoolean())) {
          for (int i = 0; i < 100; i++) {
            commit(bolt, random, i);
          }
          long alone = bolt.stats().pageCount();
          List<ReadTx> held = new ArrayList<>();
          List<Contents> seen = new ArrayList<>();
          List<ReadTx> crowd = new ArrayList<>();
          for (int i = 0; i < COMMITS; i++) {
            if (i % 500 == 0) {
              held.add(bolt.beginRead());
              seen.add(Contents.of(held.getLast().root()));
            }
            crowd.add(bolt.beginRead());
            commit(bolt, random, i);
            while (crowd.size() > random.nextInt(8)) {
              crowd.remove(random.nextInt(crowd.size())).close();
            }
            if (i % 100 == 0) {
              assertPinnedIsWhatReadersSee(bolt, held, crowd);
            }
          }
          assertThat(bolt.stats().pageCount()).isLessThan(alone * (held.size() + 10));
          for (int i = 0; i < held.size(); i++) {
            assertThat(Contents.of(held.get(i).root()).differenceFrom(seen.get(i))).isEmpty();
            assertThat(Checker.findings(held.get(i))).isEmpty();
          }
          assertPagesComeBack(bolt, random, held, crowd);
        }
      });
    }
  }

  /// To the page: what waits is what some reader's state has and the newest has not.
  private static void assertPinnedIsWhatReadersSee(Bolt bolt, List<ReadTx> held, List<ReadTx> crowd) throws Exception {
    bolt.beginWrite().rollback(); // lets go of what nobody sees
    PageSet seen = new PageSet();
    for (ReadTx tx : held) {
      addPagesOf(tx, seen);
    }
    for (ReadTx tx : crowd) {
      addPagesOf(tx, seen);
    }
    try (ReadTx newest = bolt.beginRead()) {
      PageSet current = new PageSet();
      addPagesOf(newest, current);
      PageSet pending = new PageSet();
      bolt.pendingPages().addTo(pending);
      for (long id = 2; id < newest.meta().pageCount(); id++) {
        boolean pinned = seen.contains(id) && !current.contains(id);
        assertThat(pending.contains(id)).as("page %s waits", id).isEqualTo(pinned);
      }
    }
  }

  private static void addPagesOf(ReadTx tx, PageSet target) throws Exception {
    PageSet pages = PageWalk.reachable(tx.pages(), tx.meta().root());
    if (tx.meta().hasFreelist()) {
      int span = FreelistPage.read(tx.pages(), tx.meta().freelist(), id -> {});
      for (long id = tx.meta().freelist(); id < tx.meta().freelist() + span; id++) {
        pages.add(id);
      }
    }
    for (long id = pages.next(0); id >= 0; id = pages.next(id + 1)) {
      target.add(id);
    }
  }

  private static void assertPagesComeBack(Bolt bolt, SplittableRandom random, List<ReadTx> held, List<ReadTx> crowd)
      throws Exception {
    long most = bolt.stats().pageCount();
    crowd.forEach(ReadTx::close);
    held.forEach(ReadTx::close);
    commit(bolt, random, 0);
    commit(bolt, random, 0);
    assertThat(bolt.stats().pendingPages()).isLessThan(200);
    for (int i = 0; i < 300; i++) {
      commit(bolt, random, i);
    }
    assertThat(bolt.stats().pageCount()).isEqualTo(most);
    BoltAudit.check(bolt);
  }

  /// A reader held while all is replaced over and over pins its own state, not what came and went after it.
  @Test
  void oneHeldReaderPinsOneState() throws Exception {
    try (Bolt bolt = open(false)) {
      SplittableRandom random = new SplittableRandom(1);
      for (int i = 0; i < 100; i++) {
        commit(bolt, random, i);
      }
      try (ReadTx reader = bolt.beginRead()) {
        long state = PageWalk.reachable(reader.pages(), reader.meta().root()).size();
        for (int i = 0; i < COMMITS; i++) {
          commit(bolt, random, i);
        }
        // and what the last commit freed
        assertThat(bolt.stats().pendingPages()).isLessThanOrEqualTo(state + 200);
        assertThat(reader.id()).isLessThan(bolt.stats().txid() - COMMITS + 1);
      }
    }
  }
}
