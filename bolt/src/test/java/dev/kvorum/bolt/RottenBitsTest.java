package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.env.sim.SimDisk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Every byte of a small file rots, and the file is cut at every length. Opening, checking, reading, changing and
/// salvaging it then ends in the right data, in a [CorruptionException] that says where, or, where no checksum can
/// tell, in one key or value that differs; never in another error, a hang, or the loss of more without a word.
///
/// One bit of each byte is flipped, or all; `-Dkvorum.everyBit=true` flips each bit by itself.
class RottenBitsTest {
  private static final Path FILE = Path.of("/db");
  private static final Path SALVAGED = Path.of("/salvaged");
  private static final int PAGE = 1024;
  private static final BoltOptions WRITING = BoltOptions.defaults().withInitialMapBytes(0).withPageSize(PAGE);

  private static final int[] EVERY_BIT = {1, 2, 4, 8, 16, 32, 64, 128};

  private static byte[] sound;
  private static Contents newest;
  private static Contents before;

  /// Pages of the newest state, and what finds them.
  private static PageSet used;

  @BeforeAll
  static void makeDatabase() throws Exception {
    SimDisk disk = new SimDisk();
    try (Bolt bolt = Bolt.open(disk, FILE, WRITING.withSyncFreelist(true))) {
      for (int i = 0; i < 3; i++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(new byte[] {'b'});
          for (int j = 0; j < 90; j++) {
            bucket.put(new byte[] {'k', (byte) (j * 2), (byte) i}, new byte[] {(byte) i, (byte) j});
          }
          bucket.put(new byte[] {'l'}, new byte[1500 + i]);
          bucket.put(new byte[] {'m'}, new byte[0]);
          tx.createBucketIfAbsent(new byte[] {'i'}).put(new byte[] {'x'}, new byte[] {1, 2});
          bucket.createBucketIfAbsent(new byte[] {'n'}).put(new byte[] {(byte) i}, new byte[300]);
          tx.commit();
        }
        before = newest;
        try (ReadTx tx = bolt.beginRead()) {
          newest = Contents.of(tx.root());
          used = PageWalk.reachable(tx.pages(), tx.meta().root());
          used.add(0);
          used.add(1);
          used.add(tx.meta().freelist());
        }
      }
      sound = Arrays.copyOf(disk.contents(FILE), (int) bolt.stats().sizeBytes());
    }
  }

  @Test
  void aRottenByteAnywhere() throws Exception {
    boolean everyBit = Boolean.getBoolean("kvorum.everyBit");
    for (long seed : Seed.seeds(1)) {
      Seed.run(seed, random -> {
        int[] outcomes = new int[Outcome.values().length];
        for (int at = 0; at < sound.length; at += everyBit || used.contains(at / PAGE) ? 1 : 16) {
          for (int mask : everyBit ? EVERY_BIT : new int[] {random.nextInt(3) == 0 ? 255 : 1 << random.nextInt(8)}) {
            try {
              outcomes[use(at, mask, everyBit || random.nextInt(4) == 0).ordinal()]++;
            } catch (Exception | Error e) {
              throw new AssertionError("byte " + at + " with bits " + mask + " flipped", e);
            }
          }
        }
        System.out.println("bolt: rotten bytes end in " + List.of(Outcome.values()) + ": " + Arrays.toString(outcomes));
        assertThat(outcomes[Outcome.REFUSED.ordinal()] + outcomes[Outcome.FOUND_BY_THE_CHECKER.ordinal()]).isPositive();
        assertThat(outcomes[Outcome.THE_STATE_BEFORE.ordinal()]).isPositive();
      });
    }
  }

  @Test
  void anEndAnywhere() throws Exception {
    // what is left of less than a meta page may be no more than the beginning of a file never finished
    for (int length = PAGE; length < sound.length; length++) {
      SimDisk disk = new SimDisk();
      disk.store(FILE, Arrays.copyOf(sound, length));
      for (BoltOptions options : List.of(WRITING, BoltOptions.reading())) {
        assertThatThrownBy(() -> Bolt.open(disk, FILE, options)).as("cut at %s", length)
            .isInstanceOfSatisfying(CorruptionException.class, e -> assertThat(e.file()).isEqualTo(FILE));
      }
      if (length % 16 < 2 || length % PAGE > PAGE - 3) {
        salvage(disk);
      }
    }
  }

  private enum Outcome {
    UNHARMED,
    REFUSED,
    FOUND_BY_THE_CHECKER,
    THE_STATE_BEFORE,
    ONE_THING_DIFFERS
  }

  private static Outcome use(int at, int mask, boolean all) throws Exception {
    byte[] rotten = sound.clone();
    rotten[at] ^= (byte) mask;
    SimDisk disk = new SimDisk();
    disk.store(FILE, rotten);
    Outcome outcome = read(disk);
    if (all || at % PAGE < 200) { // headers and elements always
      salvage(disk);
      change(disk);
    }
    return outcome;
  }

  private static Outcome read(SimDisk disk) throws Exception {
    List<String> findings = new ArrayList<>();
    Contents found;
    try (Bolt bolt = Bolt.open(disk, FILE, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      findings.addAll(Checker.findings(tx));
      // what the checker says is wrong may have no end
      found = findings.isEmpty() ? Contents.of(tx.root()) : null;
    } catch (CorruptionException e) {
      assertTold(e);
      return Outcome.REFUSED;
    }
    if (found == null) {
      return Outcome.FOUND_BY_THE_CHECKER;
    }
    if (found.equals(newest)) {
      return Outcome.UNHARMED;
    }
    if (found.equals(before)) {
      return Outcome.THE_STATE_BEFORE;
    }
    assertThat(differences(newest, found)).as(newest.differenceFrom(found)).isLessThanOrEqualTo(2);
    return Outcome.ONE_THING_DIFFERS;
  }

  /// Keys of either that the other has not, or has with another value.
  private static int differences(Contents a, Contents b) {
    int differences = a.sequence == b.sequence ? 0 : 1;
    TreeSet<Bytes> names = new TreeSet<>(a.values.keySet());
    names.addAll(b.values.keySet());
    for (Bytes name : names) {
      Bytes value = a.values.get(name);
      differences += value != null && value.equals(b.values.get(name)) ? 0 : 1;
    }
    names.clear();
    names.addAll(a.nested.keySet());
    names.addAll(b.nested.keySet());
    for (Bytes name : names) {
      Contents mine = a.nested.get(name);
      Contents theirs = b.nested.get(name);
      differences += mine == null || theirs == null ? 1 : differences(mine, theirs);
    }
    return differences;
  }

  private static void salvage(SimDisk disk) throws Exception {
    try {
      disk.delete(SALVAGED);
      SalvageReport report = Salvage.run(disk, FILE, SALVAGED, true);
      try (Bolt bolt = Bolt.open(disk, SALVAGED, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
        assertThat(Checker.findings(tx)).isEmpty();
        assertThat((long) Contents.of(tx.root()).size()).isLessThanOrEqualTo(report.keys() + report.buckets());
      }
    } catch (CorruptionException e) {
      assertTold(e);
    }
  }

  private static void change(SimDisk disk) throws Exception {
    try (Bolt bolt = Bolt.open(disk, FILE, WRITING)) {
      for (int i = 0; i < 2; i++) {
        try (WriteTx tx = bolt.beginWrite()) {
          Bucket bucket = tx.createBucketIfAbsent(new byte[] {'b'});
          SplittableRandom random = new SplittableRandom(i);
          for (int j = 0; j < 60; j++) {
            byte[] key = {'k', (byte) random.nextInt(200), (byte) random.nextInt(3)};
            if (random.nextBoolean()) {
              bucket.delete(key);
            } else {
              bucket.put(key, new byte[20]);
            }
          }
          tx.commit();
        }
      }
      BoltAudit.check(bolt);
    } catch (CorruptionException e) {
      assertTold(e);
    } catch (InvariantViolation e) {
      // a flag has rotted such that a value is a bucket, and we treated it as a value
      assertThat(e).hasMessageContaining("where a bucket is");
    }
  }

  private static void assertTold(CorruptionException e) {
    assertThat(e.file()).isIn(FILE, SALVAGED);
    assertThat(e.offset()).isBetween(0L, (long) sound.length);
    assertThat(e.getMessage()).contains(e.file().toString());
  }
}
