package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.raft.tracker.Configuration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Taking proposals: appended by a leader, forwarded by a follower, refused where they have no chance. A refusal is
/// cheap and leaves no trace; whoever proposed may try again.
final class Proposals {
  private final Raft raft;
  private final EntryLog log;
  private final long uncommittedBytesMax;
  private long uncommittedBytes;

  /// The index of the last conf change in the log; a further one waits until this is applied. On a new leader an upper
  /// bound: it has not read its log.
  private long pendingConfIndex;

  Proposals(Raft raft) {
    this.raft = raft;
    log = raft.log;
    uncommittedBytesMax = raft.config.limits().uncommittedEntriesBytesMax();
  }

  void reset() {
    pendingConfIndex = 0;
    uncommittedBytes = 0;
  }

  void confChangePendingAt(long index) {
    pendingConfIndex = index;
  }

  long pendingConfIndex() {
    return pendingConfIndex;
  }

  /// The short way for this node's own application: entries are built once, in place.
  StepResult propose(List<Bytes> data) {
    int n = data.size();
    Invariant.check(n > 0, "an empty proposal");
    if (!raft.isLeader()) {
      Entry[] entries = new Entry[n];
      for (int i = 0; i < n; i++) {
        entries[i] = Entry.normal(0, 0, data.get(i));
      }
      return onPropose(new Message.Propose(0, raft.id, Entries.wrap(entries)));
    }
    if (!mayPropose()) {
      return StepResult.PROPOSAL_DROPPED;
    }
    long term = raft.term();
    long index = log.lastIndex();
    long bytes = 0;
    Entry[] entries = new Entry[n];
    for (int i = 0; i < n; i++) {
      Bytes one = data.get(i);
      bytes += one.size();
      entries[i] = new Entry(EntryType.NORMAL, term, ++index, one);
    }
    return appendAndSend(Entries.wrap(entries), bytes);
  }

  StepResult onPropose(Message.Propose message) {
    return switch (raft.state()) {
      case LEADER -> append(message);
      case FOLLOWER -> forward(message);
      case CANDIDATE, PRE_CANDIDATE -> refuseWithoutLeader();
    };
  }

  private StepResult refuseWithoutLeader() {
    raft.info(() -> hex(raft.id) + " no leader at term " + raft.term() + "; dropping proposal");
    return StepResult.PROPOSAL_DROPPED;
  }

  private StepResult forward(Message.Propose message) {
    if (raft.lead() == 0) {
      return refuseWithoutLeader();
    }
    if (raft.rules.disableProposalForwarding()) {
      raft.info(
          () ->
              hex(raft.id) + " not forwarding to leader " + hex(raft.lead()) + " at term " + raft.term()
                  + "; dropping proposal");
      return StepResult.PROPOSAL_DROPPED;
    }
    long from = message.from() == 0 ? raft.id : message.from();
    raft.send(new Message.Propose(raft.lead(), from, message.entries()));
    return StepResult.OK;
  }

  private boolean mayPropose() {
    if (raft.tracker.find(raft.id) == null) {
      // Removed, and leading only until the others elect somebody.
      return false;
    }
    if (raft.transfers.transferee() != 0) {
      // Its log could never become as long as ours (Raft thesis §3.10).
      raft.debug(
          () ->
              hex(raft.id) + " [term " + raft.term() + "] transfer leadership to "
                  + hex(raft.transfers.transferee()) + " is in progress; dropping proposal");
      return false;
    }
    return true;
  }

  private StepResult append(Message.Propose message) {
    int n = message.entries().size();
    if (n == 0 || !mayPropose()) {
      return StepResult.PROPOSAL_DROPPED;
    }
    long last = log.lastIndex();
    long bytes = 0;
    Entry[] entries = new Entry[n];
    for (int i = 0; i < n; i++) {
      Entry proposed = message.entries().get(i);
      long index = last + 1 + i;
      if (proposed.type() != EntryType.NORMAL && !admitConfChange(proposed, index)) {
        // Still appended, so that the proposer's place in the log is taken, but it changes nothing.
        proposed = Entry.normal(0, 0, Bytes.EMPTY);
      }
      bytes += proposed.data().size();
      entries[i] = new Entry(proposed.type(), raft.term(), index, proposed.data());
    }
    return appendAndSend(Entries.wrap(entries), bytes);
  }

  /// Checks a conf change against what this leader knows. It is a courtesy: what is applied in the end is decided by
  /// the log, and a change that was legal here may meet another configuration there.
  private boolean admitConfChange(Entry entry, long index) {
    ConfChange.V2 change;
    try {
      change = Reconfiguration.asV2(ConfChangeCodec.decode(entry));
    } catch (IllegalArgumentException malformed) {
      // It came from another member: its mistake must not stop this one, still less everybody who would apply it.
      raft.error(() -> hex(raft.id) + " ignoring conf change: " + malformed.getMessage());
      return false;
    }
    String objection = objectionTo(change);
    if (objection != null && !raft.rules.disableConfChangeValidation()) {
      Configuration current = raft.tracker.configuration();
      raft.info(
          () ->
              hex(raft.id) + " ignoring conf change " + Texts.describe(change) + " at config " + current + ": "
                  + objection);
      return false;
    }
    pendingConfIndex = index;
    return true;
  }

  private @Nullable String objectionTo(ConfChange.V2 change) {
    boolean leaves = change.changes().isEmpty();
    boolean joint = raft.tracker.configuration().isJoint();
    if (pendingConfIndex > log.applied()) {
      return "possible unapplied conf change at index " + pendingConfIndex + " (applied to " + log.applied() + ")";
    }
    if (joint && !leaves) {
      return "must transition out of joint config first";
    }
    return !joint && leaves ? "not in joint state; refusing empty conf change" : null;
  }

  private StepResult appendAndSend(List<Entry> entries, long payloadBytes) {
    if (!reserve(payloadBytes)) {
      raft.warn(
          () ->
              hex(raft.id) + " appending new entries to log would exceed uncommitted entry size limit; dropping"
                  + " proposal");
      return StepResult.PROPOSAL_DROPPED;
    }
    appendOwn(entries);
    raft.replication.broadcastAppend();
    return StepResult.OK;
  }

  /// The first entry of a leader's term.
  void appendEmpty() {
    appendOwn(
        Entries.wrap(new Entry[] {Entry.normal(raft.term(), log.lastIndex() + 1, Bytes.EMPTY)}));
  }

  private void appendOwn(List<Entry> entries) {
    log.append(entries);
    // We acknowledge our own entries like a follower does: once they are saved.
    raft.sendAfterAppend(
        new Message.AppendResponse(raft.id, raft.id, raft.term(), log.lastIndex(), false, 0, 0));
  }

  /// Makes room for `bytes` not yet committed. The first proposal always fits, whatever its size, and empty entries (a
  /// new leader's, or the end of a joint configuration) always do.
  private boolean reserve(long bytes) {
    if (uncommittedBytes > 0 && bytes > 0 && uncommittedBytes + bytes > uncommittedBytesMax) {
      return false;
    }
    uncommittedBytes += bytes;
    return true;
  }

  /// Entries with `bytes` of payload were applied. Those of earlier leaders were never counted.
  void release(long bytes) {
    uncommittedBytes = Math.max(0, uncommittedBytes - bytes);
  }
}
