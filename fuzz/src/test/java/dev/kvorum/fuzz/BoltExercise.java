package dev.kvorum.fuzz;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Checker;
import dev.kvorum.bolt.Compaction;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.Salvage;
import dev.kvorum.bolt.SalvageReport;
import dev.kvorum.bolt.SnapshotReader;
import dev.kvorum.bolt.Surgery;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// All that can be done to a database file, done to one that may be damaged.
///
/// Each act may refuse the file. Where the checker finds nothing wrong, none may, and all must agree on what it holds.
final class BoltExercise {
  private static final Path COPY = Path.of("/fuzz/copy");
  private static final int ELEMENTS_MAX = 20_000;
  private static final int DEPTH_MAX = 16;

  private final byte[] file;

  /// What the file holds, by path of buckets and key; null when it could not be read to its end.
  private TreeMap<Bytes, Bytes> content = new TreeMap<>();

  private boolean sound;

  private BoltExercise(byte[] file) {
    this.file = file;
  }

  static void of(byte[] file) throws IOException {
    BoltExercise exercise = new BoltExercise(file);
    exercise.read();
    exercise.write();
  }

  /// What is for files that nothing else can be done with.
  static void mend(byte[] file) throws IOException {
    BoltExercise exercise = new BoltExercise(file);
    MemoryDisk disk = new MemoryDisk();
    disk.put(BoltFiles.PATH, file.clone());
    try (Bolt bolt = Bolt.open(disk, BoltFiles.PATH, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      exercise.sound = Checker.findings(tx).isEmpty() && !hasValuesAmongBuckets(tx);
      exercise.attempt("a walk", () -> exercise.walk(tx));
    } catch (IOException refused) {
      // salvage may read it all the same
    }
    SalvageReport report = Salvage.run(disk, BoltFiles.PATH, COPY, file.length % 3 != 0);
    if (exercise.sound && !report.isComplete()) {
      throw new AssertionError("salvage loses some of a file the checker has nothing against: " + report);
    }
    exercise.agree(disk, "what was salvaged");
    exercise.operate(disk);
  }

  /// Nobody can write such a file, and salvage leaves them out; bbolt's checker has nothing against it.
  private static boolean hasValuesAmongBuckets(ReadTx tx) throws IOException {
    Cursor cursor = tx.cursor();
    for (boolean more = cursor.first(); more; more = cursor.next()) {
      if (!cursor.isBucket()) {
        return true;
      }
    }
    return false;
  }

  private void operate(MemoryDisk disk) throws IOException {
    for (Operation operation : List.<Operation>of(
        Surgery::abandonFreelist, Surgery::rebuildFreelist, Surgery::revertMeta)) {
      disk.delete(COPY);
      try {
        operation.run(disk, BoltFiles.PATH, COPY);
      } catch (IOException refused) {
        continue;
      }
      try {
        new BoltExercise(disk.get(COPY)).write();
      } catch (IOException stillBroken) {
        // operated on as asked, and no better for it
      }
    }
  }

  private interface Operation {
    void run(Disk disk, Path source, Path target) throws IOException;
  }

  /// An act on a file, which may turn out to be unreadable.
  private interface Act {
    void run() throws IOException;
  }

  private void attempt(String what, Act act) {
    try {
      act.run();
    } catch (IOException refused) {
      if (sound) {
        throw new AssertionError(what + " refuses a file the checker has nothing against", refused);
      }
    }
  }

  private void read() throws IOException {
    MemoryDisk disk = new MemoryDisk();
    disk.put(BoltFiles.PATH, file.clone());
    try (Bolt bolt = Bolt.open(disk, BoltFiles.PATH, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      sound = Checker.findings(tx).isEmpty();
      attempt("a walk", () -> walk(tx));
      attempt("a snapshot", () -> snapshot(tx, disk));
      attempt("a copy", () -> copy(tx, disk));
    }
  }

  private void walk(ReadTx tx) throws IOException {
    TreeMap<Bytes, Bytes> found = new TreeMap<>();
    collect(tx.root(), Bytes.EMPTY, 0, found, new int[1]);
    content = found;
  }

  /// @param seen elements met so far: pages that refer to each other may hold more than there is time for
  private void collect(Bucket bucket, Bytes path, int depth, Map<Bytes, Bytes> into, int[] seen) throws IOException {
    List<Bytes> names = new ArrayList<>();
    Cursor cursor = bucket.cursor();
    int count = 0;
    for (boolean more = cursor.first(); more; more = cursor.next()) {
      byte[] key = cursor.key();
      if (++seen[0] > ELEMENTS_MAX) {
        return;
      }
      count++;
      if (cursor.isBucket()) {
        names.add(Bytes.wrap(key));
      } else {
        into.put(below(path, key, 0), Bytes.wrap(cursor.value()));
        lookUp(bucket, key, cursor.value());
      }
    }
    backwards(bucket, count, seen);
    for (Bytes name : names) {
      Bucket inner = depth < DEPTH_MAX ? bucket.bucket(name.array()) : null;
      if (inner != null) {
        into.put(below(path, name.array(), 1), Bytes.EMPTY);
        collect(inner, below(path, name.array(), 1), depth + 1, into, seen);
      }
    }
  }

  private static Bytes below(Bytes path, byte[] name, int kind) {
    return Bytes.wrap(ByteBuffer.allocate(path.size() + name.length + 3)
        .put(path.array()).put((byte) kind).putShort((short) name.length).put(name).array());
  }

  private void lookUp(Bucket bucket, byte[] key, byte[] value) throws IOException {
    byte[] found = bucket.get(key);
    if (sound && !Arrays.equals(found, value)) {
      throw new AssertionError("a key a cursor met has another value");
    }
  }

  private void backwards(Bucket bucket, int count, int[] seen) throws IOException {
    Cursor cursor = bucket.cursor();
    int back = 0;
    for (boolean more = cursor.last(); more && back <= count; more = cursor.previous()) {
      back++;
      seen[0]++;
    }
    if (sound && back != count) {
      throw new AssertionError(count + " elements forwards, " + back + " backwards");
    }
  }

  private void snapshot(ReadTx tx, MemoryDisk disk) throws IOException {
    SnapshotReader reader = tx.snapshot();
    ByteBuffer target = ByteBuffer.allocate(Math.toIntExact(reader.sizeBytes()));
    while (target.hasRemaining() && reader.read(target) >= 0) {
      // until it is full
    }
    if (!sound) {
      return;
    }
    disk.put(COPY, target.array());
    agree(disk, "a snapshot");
  }

  private void copy(ReadTx tx, MemoryDisk disk) throws IOException {
    disk.delete(COPY);
    try (Bolt target = Bolt.open(disk, COPY, BoltFiles.options(1024).withNoSync(true))) {
      Compaction.copy(tx, target);
    }
    agree(disk, "a copy");
  }

  private void agree(MemoryDisk disk, String what) throws IOException {
    TreeMap<Bytes, Bytes> found = new TreeMap<>();
    try (Bolt bolt = Bolt.open(disk, COPY, BoltOptions.reading()); ReadTx tx = bolt.beginRead()) {
      List<String> findings = Checker.findings(tx);
      if (!findings.isEmpty()) {
        throw new AssertionError(what + " is unsound: " + findings.getFirst());
      }
      collect(tx.root(), Bytes.EMPTY, 0, found, new int[1]);
    }
    if (sound && !found.equals(content)) {
      throw new AssertionError(what + " holds something else");
    }
  }

  /// Opens it for writing, and changes something everywhere, twice.
  private void write() throws IOException {
    MemoryDisk disk = new MemoryDisk();
    disk.put(BoltFiles.PATH, file.clone());
    boolean syncFreelist = file.length % 2 == 0;
    Bolt opened;
    try {
      opened = Bolt.open(disk, BoltFiles.PATH, BoltFiles.options(1024).withSyncFreelist(syncFreelist));
    } catch (IOException refused) {
      if (sound) {
        throw new AssertionError("opening refuses a file the checker has nothing against", refused);
      }
      throw refused;
    }
    try (Bolt bolt = opened) {
      attempt("a first commit", () -> change(bolt, 1));
      attempt("a second commit", () -> change(bolt, 2));
      attempt("a third commit", () -> change(bolt, 3));
      if (sound) {
        check(bolt);
      }
    }
  }

  private void check(Bolt bolt) throws IOException {
    try (ReadTx tx = bolt.beginRead()) {
      List<String> findings = Checker.findings(tx);
      if (!findings.isEmpty()) {
        throw new AssertionError("unsound after a commit: " + findings.getFirst());
      }
    }
  }

  private void change(Bolt bolt, int round) throws IOException {
    try (ReadTx held = bolt.beginRead(); WriteTx tx = bolt.beginWrite()) {
      List<byte[]> names = new ArrayList<>();
      Cursor cursor = tx.cursor();
      for (boolean more = cursor.first(); more && names.size() < 16; more = cursor.next()) {
        if (cursor.isBucket()) {
          names.add(cursor.key());
        }
      }
      for (byte[] name : names) {
        Bucket bucket = tx.bucket(name);
        if (bucket != null) {
          change(bucket, round, 0);
        }
      }
      if (round == 3 && !names.isEmpty()) {
        tx.deleteBucket(names.getFirst());
      }
      Bucket fresh = tx.createBucketIfAbsent(BoltFiles.utf8("fresh"));
      fresh.put(BoltFiles.utf8("round" + round), new byte[700 * round]);
      tx.commit();
      if (sound) {
        walk(held);
      }
    }
  }

  private void change(Bucket bucket, int round, int depth) throws IOException {
    List<byte[]> keys = new ArrayList<>();
    List<byte[]> names = new ArrayList<>();
    Cursor cursor = bucket.cursor();
    for (boolean more = cursor.first(); more && keys.size() + names.size() < 200; more = cursor.next()) {
      (cursor.isBucket() ? names : keys).add(cursor.key());
    }
    for (int i = 0; i < keys.size(); i++) {
      if (bucket.bucket(keys.get(i)) != null) {
        continue; // out of order: a cursor meets a value, a search a bucket of the same name
      }
      switch ((i + round) % 5) {
        case 0 -> bucket.put(keys.get(i), new byte[90]);
        case 1, 2 -> bucket.delete(keys.get(i));
        default -> bucket.get(keys.get(i));
      }
    }
    for (byte[] name : names) {
      Bucket inner = depth < 6 ? bucket.bucket(name) : null;
      if (inner != null) {
        change(inner, round, depth + 1);
      }
    }
    if (round == 2 && !names.isEmpty()) {
      bucket.deleteBucket(names.getLast());
    }
  }
}
