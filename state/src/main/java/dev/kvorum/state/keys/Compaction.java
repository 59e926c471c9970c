package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.KeepCheck;
import dev.kvorum.state.backend.RevisionSweep;
import dev.kvorum.state.backend.WriteBatch;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// The carrying out of one accepted compaction, in steps between which both loops serve others.
///
/// ```
///  apply loop     compactIndexStep … true ─┐                       ┌▶ compacted(c, commit) ─┐
///  backend loop                            └▶ c.backendStep(1000) ─┘      … until done      └▶ c.backendStep …
/// ```
/// The index goes first: it shrinks at once, and then says which revisions the file keeps. The file's part must not
/// begin before the batch that records the compaction as scheduled is durable ([#isReady]).
public final class Compaction {
  private final Backend backend;
  private final long previousRevision;
  private final long revision;
  private final boolean hashes;

  // Apply loop; what the backend loop needs of it is handed over with each step.
  private @Nullable WriteBatch scheduled;
  private byte @Nullable [] nextKey = new byte[0];
  private boolean finished;
  private @Nullable RevisionSweep sweep;
  private @Nullable KeepCheck keep;

  /// @param scheduled the batch that records it; null when the file has it
  /// @param hashes whether the compaction before it was finished, so that its hash covers all since then
  Compaction(
      Backend backend, long previousRevision, long revision, boolean hashes, @Nullable WriteBatch scheduled) {
    this.backend = backend;
    this.previousRevision = previousRevision;
    this.revision = revision;
    this.hashes = hashes;
    this.scheduled = scheduled;
  }

  public long revision() {
    return revision;
  }

  public long previousRevision() {
    return previousRevision;
  }

  /// Apply loop. Whether [#backendStep] may be called.
  public boolean isReady() {
    return isIndexDone() && scheduled == null && !finished;
  }

  /// Apply loop. Whether nothing is left to do.
  public boolean isFinished() {
    return finished;
  }

  boolean isIndexDone() {
    return nextKey == null;
  }

  boolean recordsHash() {
    return hashes;
  }

  /// Apply loop: compacts up to `leavesMax` leaves of the index.
  void indexStep(KeyIndex index, int leavesMax) {
    for (int i = 0; i < leavesMax && nextKey != null; i++) {
      nextKey = index.compactLeaf(nextKey, revision);
    }
    if (nextKey == null) {
      look(index.view());
    }
  }

  /// Apply loop: renews what the backend loop asks about kept revisions, so that no old index is kept alive.
  private void look(IndexView index) {
    keep = index.keepCheck(revision, true);
    if (sweep == null) {
      sweep = new RevisionSweep(previousRevision, revision);
    }
  }

  /// Apply loop: hears what became durable.
  void durable(@Nullable WriteBatch batch) {
    if (batch != null && batch == scheduled) {
      scheduled = null;
    }
  }

  /// Apply loop, after a step's commit was installed. @return the hash to record, once there is one
  @Nullable KvHash stepped(KeyIndex index) {
    RevisionSweep now = sweep;
    if (now == null || !now.isFinished()) {
      look(index.view());
      return null;
    }
    finished = true;
    return hashes ? new KvHash(now.hash(), previousRevision, revision) : null;
  }

  /// Backend loop: looks at the next `scanMax` revisions of the file, deletes those not kept, commits.
  ///
  /// @return what [KvStore#compacted] is to be given; null while a defragmentation is under way: try again later
  /// @throws IOException final: the member must stop
  public @Nullable BackendCommit backendStep(int scanMax) throws IOException {
    RevisionSweep now = sweep;
    KeepCheck check = keep;
    if (now == null || check == null || now.isFinished()) {
      throw Invariant.unreachable("a compaction is stepped that is not ready");
    }
    return backend.compact(now, check, scanMax);
  }

  /// Revisions deleted from the file so far.
  public long deleted() {
    return sweep == null ? 0 : sweep.deleted();
  }
}
