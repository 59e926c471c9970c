package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.sim.SimDisk;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Each way a file can be wrong, told in bbolt's words.
class CheckerTest {
  private static final Path FILE = Path.of("/db");
  private static final int PAGE = 4096;

  private final SimDisk disk = new SimDisk();
  private Meta meta;

  /// The page ids of the tree: a branch and its leaves.
  private long branch;

  private long[] leaves;
  private List<String> found;

  @BeforeEach
  void makeDatabase() throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.defaults().withInitialMapBytes(0).withSyncFreelist(true))) {
      for (int commit = 0; commit < 2; commit++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(new byte[] {'b'});
          for (int i = 0; i < 40; i++) {
            bucket.put(new byte[] {'k', (byte) i}, new byte[500]);
          }
          tx.commit();
        }
      }
      try (ReadTx tx = bolt.beginRead()) {
        meta = tx.meta();
        branch = tx.bucket(new byte[] {'b'}).rootId;
        long at = tx.pages().at(branch);
        leaves = new long[tx.pages().count(at)];
        for (int i = 0; i < leaves.length; i++) {
          leaves[i] = tx.pages().child(Pages.element(at, i));
        }
        assertThat(Checker.findings(tx)).isEmpty();
      }
    }
  }

  private void after(Consumer<ByteBuffer> damage) throws Exception {
    byte[] bytes = disk.contents(FILE);
    damage.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    disk.store(FILE, bytes);
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      found = Checker.findings(tx);
    }
  }

  private int at(long page) {
    return (int) page * PAGE;
  }

  private int list(int index) {
    return at(meta.freelist()) + 16 + 8 * index;
  }

  @Test
  void aFreePageThatIsReachable() throws Exception {
    after(b -> b.putLong(list(0), leaves[1]));
    assertThat(found).contains("page " + leaves[1] + ": reachable freed");
    assertThatThrownBy(() -> Bolt.open(disk, FILE, BoltOptions.defaults().withInitialMapBytes(0)))
        .isInstanceOf(CorruptionException.class)
        .hasMessageContaining("page " + leaves[1] + ": reachable freed");
  }

  @Test
  void aPageFreeTwiceAndOneThatIsLost() throws Exception {
    long[] lost = new long[2];
    after(b -> {
      lost[0] = b.getLong(list(0));
      lost[1] = b.getLong(list(1));
      b.putLong(list(0), lost[1]);
    });
    assertThat(found)
        .containsExactly("page " + lost[1] + ": already freed", "page " + lost[0] + ": unreachable unfreed");
  }

  @Test
  void aPageWithTwoReferences() throws Exception {
    after(b -> b.putLong(at(branch) + 16 + 16 + 8, leaves[0]));
    assertThat(found)
        .contains("page " + leaves[0] + ": multiple references (stack: [" + branch + " " + leaves[0] + "])");
    assertThat(found).contains("page " + leaves[1] + ": unreachable unfreed");
    assertRefusedToWriters("page " + leaves[0] + ": multiple references");
  }

  /// Keys are in order here, and each bucket is sound by itself.
  @Test
  void twoBucketsOnOnePage() throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.defaults().withInitialMapBytes(0)); WriteTx tx = bolt.beginWrite()) {
      for (int i = 0; i < 40; i++) {
        tx.createBucketIfAbsent(new byte[] {'c'}).put(new byte[] {'k', (byte) i}, new byte[500]);
      }
      tx.commit();
    }
    long root;
    long other;
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      root = tx.bucket(new byte[] {'b'}).rootId;
      other = tx.bucket(new byte[] {'c'}).rootId;
      meta = tx.meta();
    }
    after(b -> {
      int names = at(meta.root());
      int element = names + 16 + 16;
      int header = element + b.getInt(element + 4) + b.getInt(element + 8);
      assertThat(b.getLong(header)).as("the root of the second bucket").isEqualTo(other);
      b.putLong(header, root);
    });
    assertThat(found).anyMatch(finding -> finding.startsWith("page " + root + ": multiple references"));
    assertRefusedToWriters("page " + root + ": multiple references");
  }

  @Test
  void aListOfFreePagesWithinALeaf() throws Exception {
    long list = meta.freelist();
    long below = list - 1;
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      PageSet reached = PageWalk.reachable(tx.pages(), meta.root());
      while (!reached.contains(below)) {
        below--;
      }
    }
    long leaf = below;
    after(b -> b.putInt(at(leaf) + 12, (int) (list - leaf)));
    assertThat(found).anyMatch(finding -> finding.startsWith("page " + list + ": multiple references"));
    assertRefusedToWriters("page " + list + ": multiple references");
  }

  private void assertRefusedToWriters(String why) {
    assertThatThrownBy(() -> Bolt.open(disk, FILE, BoltOptions.defaults().withInitialMapBytes(0)))
        .isInstanceOf(CorruptionException.class)
        .hasMessageContaining(why);
  }

  @Test
  void aPageBeyondTheEnd() throws Exception {
    after(b -> b.putLong(at(branch) + 16 + 16 + 8, 10_000));
    assertThat(found).contains(
        "page 10000: out of bounds: " + meta.pageCount() + " (stack: [" + branch + " 10000])");
  }

  @Test
  void aPageOfAWrongType() throws Exception {
    after(b -> b.putShort(at(leaves[0]) + 8, (short) Page.FREELIST));
    assertThat(found).containsExactly(
        "page " + leaves[0] + ": invalid type: freelist (stack: [" + branch + " " + leaves[0] + "])");
  }

  @Test
  void keysOutOfOrder() throws Exception {
    int keys = at(leaves[0]) + 16 + 4;
    after(b -> {
      int element = at(leaves[0]) + 16;
      b.put(element + b.getInt(keys) + 1, (byte) 1);
      b.put(element + 16 + b.getInt(keys + 16) + 1, (byte) 1);
    });
    assertThat(found).containsExactly("key[1]=(hex)6b01 on leaf page(" + leaves[0]
        + ") needs to be > (found =) than previous element (hex)6b01. Stack: [" + branch + " " + leaves[0] + "]");
  }

  @Test
  void keysOutsideOfWhatTheirBranchPromises() throws Exception {
    after(b -> {
      int element = at(leaves[1]) + 16;
      b.put(element + b.getInt(element + 4) + 1, (byte) 0);
    });
    assertThat(found).hasSize(1);
    assertThat(found.getFirst()).startsWith("the first key[0]=(hex)6b00 on leaf page(" + leaves[1]
        + ") needs to be >= the key in the ancestor (6b0");
    after(b -> {
      int element = at(leaves[0]) + 16;
      int count = b.getShort(at(leaves[0]) + 10);
      int last = element + 16 * (count - 1);
      b.put(last + b.getInt(last + 4), (byte) 'z');
    });
    assertThat(found.getFirst()).contains("needs to be < than key of the next element in ancestor");
  }
}
