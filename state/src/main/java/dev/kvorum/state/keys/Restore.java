package dev.kvorum.state.keys;

import dev.kvorum.bolt.Dividers;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Parts;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.MetaKey;
import dev.kvorum.state.backend.RevisionKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/// What a store's memory is rebuilt from: one walk over every revision in the file, shared by all who find time.
///
/// The file is cut into runs of revisions, by its own pages. Each run makes an index of its own; these are then merged in
/// order of keys into one, a key's revisions in order of runs. So the outcome depends on the file alone, whoever read
/// what and when.
///
/// Source: backend-schema §3.1.
///
/// @param lastRevision 0 when the file has no revision
/// @param finishedCompactRevision -1 when nothing was ever compacted
/// @param scheduledCompactRevision -1 when none was; above the finished one when a compaction was interrupted
/// @param leases by key
record Restore(
    KeyIndex index,
    long lastRevision,
    long finishedCompactRevision,
    long scheduledCompactRevision,
    List<KeyLease> leases) {

  /// More runs could be read by more workers, but merging them, which one does alone, takes longer with each.
  private static final int RUNS_MAX = 4;

  /// @param helpers who may take part in the walk
  static Restore from(Backend backend, Executor helpers) throws IOException {
    List<byte[]> dividers = Dividers.of(backend.read().keys(), RUNS_MAX);
    RevisionRun[] runs = new RevisionRun[dividers.size() + 1];
    for (int i = 0; i < runs.length; i++) {
      byte[] from = i == 0 ? new byte[0] : dividers.get(i - 1);
      runs[i] = new RevisionRun(backend, from, i == runs.length - 1 ? null : dividers.get(i));
    }
    Parts.run(helpers, runs.length - 1, runs.length, number -> runs[number].read());
    for (int i = 0; i + 1 < runs.length; i++) {
      runs[i].requireFollowedBy(runs[i + 1]);
    }
    KeyIndex index = runs.length == 1 ? runs[0].index() : KeyIndex.of(new RunMerge(runs));
    long last = 0;
    List<KeyLease> leases = new ArrayList<>();
    IndexView view = index.peek();
    for (RevisionRun run : runs) {
      last = Math.max(last, run.last());
      run.leasesWithin(view, leases);
    }
    leases.sort((a, b) -> a.key().compareTo(b.key()));
    return new Restore(
        index,
        last,
        compactRevision(backend, MetaKey.FINISHED_COMPACT_REV),
        compactRevision(backend, MetaKey.SCHEDULED_COMPACT_REV),
        leases);
  }

  private static long compactRevision(Backend backend, Bytes name) throws CorruptionException {
    byte[] value = backend.get(BucketName.META, name);
    if (value == null) {
      return -1;
    }
    if (!RevisionKey.isValid(value, value.length)) {
      throw new CorruptionException(backend.file(), 0, "meta " + name.toUtf8() + " is no revision");
    }
    return RevisionKey.main(value);
  }
}
