package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;
import static dev.kvorum.raft.Raft.name;

import java.util.List;

/// What comes back from storage and from the state machine: in messages of their own when they work asynchronously
/// (Raft thesis §10.2.1), in [RawNode#advance] when they do not.
final class StorageWork {
  private final Raft raft;

  StorageWork(Raft raft) {
    this.raft = raft;
  }

  void onAppended(Message.StorageAppendResponse message) {
    if (message.lastIndex() != 0) {
      raft.log.unstable().stableTo(message.lastIndex(), message.lastTerm());
    }
    onSnapshotSaved(message.snapshot());
  }

  /// The write was of an earlier term. Its entries may have been replaced since, and replaced again by the same (index,
  /// term) not written yet: then the report would be taken for the newer write. So it is not taken at all; the next
  /// write reports for both.
  void onStaleAppended(Message.StorageAppendResponse message) {
    if (message.lastIndex() != 0) {
      raft.info(
          () ->
              hex(raft.id) + " [term: " + raft.term() + "] ignored entry appends from a " + name(message)
                  + " message with lower term [term: " + message.term() + "]");
    }
    onSnapshotSaved(message.snapshot());
  }

  private void onSnapshotSaved(Snapshot snapshot) {
    if (!snapshot.isEmpty()) {
      raft.log.unstable().stableSnapshotTo(snapshot.index());
      appliedTo(snapshot.index(), 0);
    }
  }

  void onApplied(Message.StorageApplyResponse message) {
    List<Entry> entries = message.entries();
    if (!entries.isEmpty()) {
      appliedTo(entries.get(entries.size() - 1).index(), EntrySize.encoded(entries));
      raft.proposals.release(EntrySize.payload(entries));
    }
  }

  private void appliedTo(long index, long bytes) {
    long applied = Math.max(index, raft.log.applied());
    raft.log.appliedTo(applied, bytes);
    raft.reconfiguration.onApplied(applied);
  }
}
