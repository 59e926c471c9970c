package dev.kvorum.state.backend;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the apply loop has written since the last hand-over, in order, with the raft position it brings the file to.
///
/// Entries' effects and their index travel in one batch and are committed in one bolt transaction: after a crash the
/// file holds an entry wholly, and says so, or not at all. So call [#applied] before the first write of an entry and
/// never hand a batch over in the middle of one.
///
/// Owned by the apply loop until [Backend#take]; from then on unchanging, read by the backend loop and by views.
public final class WriteBatch {
  /// A null value deletes.
  record Op(BucketName bucket, Bytes key, @Nullable Bytes value) {}

  private final Memtable memtable = new Memtable();
  private final List<Op> ops = new ArrayList<>();
  private long consistentIndex;
  private long term;
  private @Nullable Bytes confState;
  private boolean taken;

  WriteBatch(long consistentIndex, long term) {
    this.consistentIndex = consistentIndex;
    this.term = term;
  }

  /// The entry now being applied. Indexes never go down; 0 means that none was and is not written.
  public void applied(long index, long entryTerm) {
    Invariant.check(!taken, "a batch is written to after it was handed over");
    Invariant.check(
        index >= consistentIndex, () -> "consistent index falls from " + consistentIndex + " to " + index);
    consistentIndex = index;
    term = entryTerm;
  }

  /// The JSON raft's configuration is saved as, after it changed.
  public void confState(Bytes json) {
    Invariant.check(!taken, "a batch is written to after it was handed over");
    confState = json;
  }

  /// Not for [BucketName#KEY], which [#putKey] writes.
  public void put(BucketName bucket, Bytes key, Bytes value) {
    add(new Op(bucket, key, value));
  }

  /// Absent is fine.
  public void delete(BucketName bucket, Bytes key) {
    add(new Op(bucket, key, null));
  }

  private void add(Op op) {
    Invariant.check(!taken, "a batch is written to after it was handed over");
    Invariant.check(op.bucket() != BucketName.KEY, "the key bucket belongs to the key store");
    ops.add(op);
  }

  /// One change of a user key; revisions rise.
  ///
  /// @param record the stored `mvccpb.KeyValue`, given away
  public void putKey(long main, int sub, boolean tombstone, byte[] record) {
    Invariant.check(!taken, "a batch is written to after it was handed over");
    memtable.append(main, sub, tombstone, record);
  }

  /// Writes gathered; the owner commits at 10,000 (etcd's `--backend-batch-limit`).
  public int opCount() {
    return memtable.rows() + ops.size() + (confState == null ? 0 : 1);
  }

  /// True when committing would change nothing but the consistent index.
  public boolean isEmpty() {
    return opCount() == 0;
  }

  public long consistentIndex() {
    return consistentIndex;
  }

  public long term() {
    return term;
  }

  public Memtable memtable() {
    return memtable;
  }

  List<Op> ops() {
    return ops;
  }

  @Nullable Bytes confState() {
    return confState;
  }

  /// Ends the gathering. @return the batch that gathers from here on
  WriteBatch handOver() {
    Invariant.check(!taken, "a batch is handed over twice");
    taken = true;
    return new WriteBatch(consistentIndex, term);
  }
}
