package dev.kvorum.state.backend;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.Invariant;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The bolt file behind the state, written behind it.
///
/// Two loops share it, each with methods of its own. The **apply loop** writes into [#batch], and now and then hands it
/// over ([#take]); what was handed over stays readable in memory. The **backend loop** writes it and commits ([#write]).
/// Back on the apply loop [#committed] installs the state read from bolt from then on, and lets the batch's memory go:
///
/// ```
///  apply    put put put │ take()            put put … │ committed(commit)
///  backend              └──────▶ write(batch) ────────┘
///  readers  bolt₁ + batch₁      bolt₁ + batch₁ + batch₂      bolt₂ + batch₂
/// ```
/// Whoever drives both (member) decides when: etcd commits every 100 ms or 10,000 operations. Several batches may be
/// under way; they are written and committed in the order taken.
///
/// Everything that reads the file as a whole ([#hash], [#openSnapshot], [#beginDefragmentation]) is for the backend
/// loop, after the batches it must see were written.
///
/// A failed commit is final: the member stops, and replays its log from the consistent index of the commit before.
public final class Backend implements AutoCloseable {
  static final String TEMPORARY_PREFIX = "db.tmp.";

  private final Disk disk;
  private final Path file;
  private final BoltOptions options;
  private final Failpoints failpoints;

  // Apply loop.
  private final ArrayDeque<WriteBatch> underway = new ArrayDeque<>();
  private WriteBatch batch;
  private SharedRead read;

  // Backend loop.
  private BoltFile bolt;
  private @Nullable Defragmentation defragmentation;

  // Published by the backend loop.
  private volatile BackendSize size;

  private Backend(Disk disk, Path file, BoltOptions options, Failpoints failpoints, BoltFile bolt)
      throws IOException {
    this.failpoints = failpoints;
    this.disk = disk;
    this.file = file;
    this.options = options;
    this.bolt = bolt;
    this.read = new SharedRead(bolt.bolt().beginRead());
    this.size = measured(bolt);
    this.batch = new WriteBatch(readMetaNumber(MetaKey.CONSISTENT_INDEX), readMetaNumber(MetaKey.TERM));
  }

  /// Opens or creates the file, with all buckets of the schema; removes what an interrupted defragmentation left.
  ///
  /// @throws dev.kvorum.bolt.FileLockedException when another process has it open
  public static Backend open(Disk disk, Path file, BoltOptions options) throws IOException {
    return open(disk, file, options, Failpoints.NONE);
  }

  /// The same, with what a test has planted.
  public static Backend open(Disk disk, Path file, BoltOptions options, Failpoints failpoints) throws IOException {
    removeTemporaries(disk, file);
    Bolt bolt = Bolt.open(disk, file, options);
    try {
      createBuckets(bolt);
      return new Backend(disk, file, options, failpoints, new BoltFile(bolt));
    } catch (IOException | RuntimeException e) {
      bolt.close();
      throw e;
    }
  }

  private static void removeTemporaries(Disk disk, Path file) throws IOException {
    Path directory = directoryOf(file);
    for (String name : disk.list(directory)) {
      if (name.startsWith(TEMPORARY_PREFIX)) {
        disk.delete(directory.resolve(name));
      }
    }
  }

  static Path directoryOf(Path file) {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IllegalArgumentException("no directory above " + file);
    }
    return directory;
  }

  private static void createBuckets(Bolt bolt) throws IOException {
    List<BucketName> missing = new ArrayList<>();
    try (ReadTx tx = bolt.beginRead()) {
      for (BucketName name : BucketName.values()) {
        if (tx.bucket(name.bytes()) == null) {
          missing.add(name);
        }
      }
    }
    if (missing.isEmpty()) {
      return;
    }
    try (WriteTx tx = bolt.beginWrite()) {
      for (BucketName name : missing) {
        tx.createBucketIfAbsent(name.bytes()); // refuses a file in which a value has that name
      }
      tx.commit();
    }
  }

  // ---- Apply loop ----

  /// The batch gathering now.
  public WriteBatch batch() {
    return batch;
  }

  /// Ends the current batch and begins another. @return what the backend loop is to [#write]
  public WriteBatch take() {
    WriteBatch taken = batch;
    batch = taken.handOver();
    underway.add(taken);
    return taken;
  }

  /// Installs what the backend loop committed, in the order it did.
  public void committed(BackendCommit commit) {
    if (commit.batch() != null) {
      WriteBatch oldest = underway.poll();
      Invariant.check(oldest == commit.batch(), "batches are committed out of order");
    }
    SharedRead old = read;
    read = commit.read();
    old.release();
  }

  /// The bolt state installed last. It lacks what [#pending] holds.
  public SharedRead read() {
    return read;
  }

  /// Changes of keys not in [#read], oldest first.
  public Memtable.Slice[] pending() {
    int count = 0;
    for (WriteBatch taken : underway) {
      count += taken.memtable().rows() == 0 ? 0 : 1;
    }
    Memtable.Slice[] slices = new Memtable.Slice[count + (batch.memtable().rows() == 0 ? 0 : 1)];
    int at = 0;
    for (WriteBatch taken : underway) {
      if (taken.memtable().rows() > 0) {
        slices[at++] = taken.memtable().slice();
      }
    }
    if (at < slices.length) {
      slices[at] = batch.memtable().slice();
    }
    return slices;
  }

  /// Batches handed over and not yet installed.
  public int underwayCount() {
    return underway.size();
  }

  /// Bytes of keys and values held in memory until they are committed: what the owner bounds.
  public long pendingBytes() {
    long sum = batch.memtable().bytes();
    for (WriteBatch taken : underway) {
      sum += taken.memtable().bytes();
    }
    return sum;
  }

  /// A value as of [#read], for loading state when a member starts. @return null when absent
  public byte @Nullable [] get(BucketName name, Bytes key) throws CorruptionException {
    Bucket bucket = read.bucket(name);
    byte[] value = bucket == null ? null : bucket.get(key.array());
    if (value == null && bucket != null && bucket.bucket(key.array()) != null) {
      throw nested(name, key);
    }
    return value;
  }

  /// Hears every pair of a bucket, in key order.
  @FunctionalInterface
  public interface Visitor {
    void visit(Bytes key, Bytes value);
  }

  /// Walks a bucket as of [#read], for loading state when a member starts.
  public void forEach(BucketName name, Visitor visitor) throws CorruptionException {
    Bucket bucket = read.bucket(name);
    if (bucket == null) {
      return;
    }
    Cursor cursor = bucket.cursor();
    for (boolean more = cursor.first(); more; more = cursor.next()) {
      Bytes key = Bytes.wrap(cursor.key());
      if (cursor.isBucket()) {
        throw nested(name, key);
      }
      visitor.visit(key, Bytes.wrap(cursor.value()));
    }
  }

  /// Nobody puts buckets there: an element's flag is rotten. Taking it for absent would lose what it says.
  private CorruptionException nested(BucketName name, Bytes key) {
    return new CorruptionException(file, 0, "the " + name.text() + " bucket holds a bucket, " + key);
  }

  /// The last raft entry whose effects [#read] held when the file was opened or since; 0 when none is recorded.
  public long committedIndex() throws CorruptionException {
    return readMetaNumber(MetaKey.CONSISTENT_INDEX);
  }

  private long readMetaNumber(Bytes key) throws CorruptionException {
    byte[] value = get(BucketName.META, key);
    if (value == null) {
      return 0;
    }
    if (value.length != Long.BYTES) {
      throw new CorruptionException(file, 0, "meta " + key.toUtf8() + " has " + value.length + " bytes");
    }
    return ByteBuffer.wrap(value).getLong();
  }

  // ---- Any thread ----

  /// As of the last commit.
  public BackendSize size() {
    return size;
  }

  public Path file() {
    return file;
  }

  // ---- Backend loop ----

  /// Writes a batch and commits it. Durable when it returns.
  ///
  /// @throws IOException final: the member must stop
  public BackendCommit write(WriteBatch taken) throws IOException {
    failpoints.reachDisk(Failpoint.BEFORE_START_DB_TXN);
    try (WriteTx tx = bolt.bolt().beginWrite()) {
      failpoints.reachDisk(Failpoint.AFTER_START_DB_TXN);
      failpoints.reachDisk(Failpoint.BEFORE_WRITEBACK_BUF);
      failpoints.reachDisk(Failpoint.COMMIT_BEFORE_PRE_COMMIT_HOOK); // the applied index is part of the batch
      BatchWriter.write(taken, tx);
      failpoints.reachDisk(Failpoint.COMMIT_AFTER_PRE_COMMIT_HOOK);
      failpoints.reachDisk(Failpoint.AFTER_WRITEBACK_BUF);
      failpoints.reachDisk(Failpoint.BEFORE_COMMIT);
      tx.commit();
      failpoints.reachDisk(Failpoint.AFTER_COMMIT);
    }
    return commitOf(taken);
  }

  /// Commits nothing new: what the apply loop installs after work that wrote for itself.
  BackendCommit commitOf(@Nullable WriteBatch written) throws IOException {
    size = measured(bolt);
    return new BackendCommit(written, new SharedRead(bolt.bolt().beginRead()), size);
  }

  private static BackendSize measured(BoltFile bolt) {
    var stats = bolt.bolt().stats();
    return new BackendSize(stats.sizeBytes(), stats.inUseBytes());
  }

  /// Deletes the next revisions a compaction no longer keeps, at most `scanMax` looked at, and commits.
  ///
  /// @return null while a defragmentation is under way: try again later
  /// @throws IOException final: the member must stop
  public @Nullable BackendCommit compact(RevisionSweep sweep, KeepCheck keep, int scanMax) throws IOException {
    if (defragmentation != null) {
      return null;
    }
    try (WriteTx tx = bolt.bolt().beginWrite()) {
      failpoints.reachDisk(Failpoint.COMPACT_AFTER_ACQUIRED_BATCH_TX_LOCK);
      sweep.step(tx, keep, scanMax);
      reachBoth(sweep, Failpoint.COMPACT_BEFORE_COMMIT_BATCH, Failpoint.COMPACT_BEFORE_SET_FINISHED);
      tx.commit();
      reachBoth(sweep, Failpoint.COMPACT_AFTER_COMMIT_BATCH, Failpoint.COMPACT_AFTER_SET_FINISHED);
    }
    return commitOf(null);
  }

  private void reachBoth(RevisionSweep sweep, Failpoint each, Failpoint last) throws IOException {
    failpoints.reachDisk(each);
    if (sweep.isFinished()) {
      failpoints.reachDisk(last);
    }
  }

  Failpoints failpoints() {
    return failpoints;
  }

  /// The file's bytes as they are now, for a stream. Keep one open no longer than needed: the file grows meanwhile.
  public BackendSnapshot openSnapshot() {
    return new BackendSnapshot(bolt);
  }

  /// CRC-32C over everything but the entries that differ between members by right (Maintenance.Hash).
  public int hash() throws IOException {
    try (ReadTx tx = bolt.bolt().beginRead()) {
      return WholeHash.of(tx, true);
    }
  }

  /// Begins to copy the file into a fresh one without free pages. One at a time.
  ///
  /// @throws IOException when the copy cannot be created; the backend goes on with its file
  public Defragmentation beginDefragmentation() throws IOException {
    Invariant.check(defragmentation == null, "two defragmentations at once");
    Defragmentation begun = new Defragmentation(this, disk, file, options);
    defragmentation = begun;
    return begun;
  }

  BoltFile bolt() {
    return bolt;
  }

  /// Goes over to another file, which now bears the name of the old one.
  void swap(BoltFile fresh) throws IOException {
    BoltFile old = bolt;
    bolt = fresh;
    old.release();
  }

  void endDefragmentation() {
    defragmentation = null;
  }

  /// Lets the file go when its last reader does. What was not committed is lost: the log has it. On the backend loop,
  /// after the apply loop has ended; views stay readable until they are released, and until then the file stays locked:
  /// whoever opened it again would use the pages they read.
  @Override
  public void close() throws IOException {
    if (defragmentation != null) {
      defragmentation.close();
    }
    read.release();
    bolt.release();
  }
}
