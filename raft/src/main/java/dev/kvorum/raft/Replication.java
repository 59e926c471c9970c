package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.raft.tracker.Progress;
import dev.kvorum.raft.tracker.ProgressState;
import dev.kvorum.raft.tracker.ProgressTracker;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A leader's side of the log: sending it, learning how far it got, committing (Raft paper §5.3, §5.4; pipelining is
/// Raft thesis §10.2.1).
final class Replication {
  private final Raft raft;
  private final EntryLog log;
  private final ProgressTracker tracker;
  private final long messageBytesMax;

  Replication(Raft raft) {
    this.raft = raft;
    log = raft.log;
    tracker = raft.tracker;
    messageBytesMax = raft.config.limits().bytesPerMessageMax();
  }

  // ---- sending

  /// Sends each member what it lacks, or at least the commit index.
  void broadcastAppend() {
    for (int i = 0; i < tracker.size(); i++) {
      long to = tracker.id(i);
      if (to != raft.id) {
        maybeSend(to, tracker.progress(i), true);
      }
    }
  }

  /// Sends each member what it lacks, and nothing to those who lack nothing.
  void broadcastMissing() {
    for (int i = 0; i < tracker.size(); i++) {
      long to = tracker.id(i);
      if (to != raft.id) {
        maybeSend(to, tracker.progress(i), false);
      }
    }
  }

  /// Sends one append, or a snapshot where entries are compacted away, unless flow control forbids.
  ///
  /// @param evenIfEmpty whether an append without entries is worth sending, for its commit index or as a probe
  /// @return whether a message was sent
  boolean maybeSend(long to, Progress member, boolean evenIfEmpty) {
    if (member.isPaused()) {
      return false;
    }
    long prevIndex = member.next() - 1;
    long prevTerm = log.term(prevIndex);
    if (prevTerm == EntryLog.NO_TERM) {
      return maybeSendSnapshot(to, member);
    }
    List<Entry> entries = Entries.NONE;
    // With the pipeline full only empty appends pass: they keep the commit index moving, and find out about losses.
    if (member.state() != ProgressState.REPLICATE || !member.inflights().isFull()) {
      try {
        entries = log.entriesFrom(member.next(), messageBytesMax);
      } catch (LogStorage.GapException compacted) {
        return maybeSendSnapshot(to, member);
      }
    }
    if (entries.isEmpty() && !evenIfEmpty) {
      return false;
    }
    raft.send(new Message.Append(to, raft.id, raft.term(), prevTerm, prevIndex, entries, log.committed()));
    member.sentEntries(entries.size(), EntrySize.payload(entries));
    member.sentCommit(log.committed());
    return true;
  }

  private boolean maybeSendSnapshot(long to, Progress member) {
    if (!member.isRecentActive()) {
      raft.debug(() -> "ignore sending snapshot to " + hex(to) + " since it is not recently active");
      return false;
    }
    Snapshot snapshot;
    try {
      snapshot = log.snapshot();
    } catch (LogStorage.GapException notYet) {
      raft.debug(
          () ->
              hex(raft.id) + " failed to send snapshot to " + hex(to) + " because snapshot is temporarily unavailable");
      return false;
    }
    Invariant.check(!snapshot.isEmpty(), "need non-empty snapshot");
    raft.debug(
        () ->
            hex(raft.id) + " [firstindex: " + log.firstIndex() + ", commit: " + log.committed() + "] sent snapshot"
                + Texts.position(snapshot.index(), snapshot.term()) + " to " + hex(to) + " [" + member + "]");
    member.becomeSnapshot(snapshot.index());
    raft.debug(
        () -> hex(raft.id) + " paused sending replication messages to " + hex(to) + " [" + member + "]");
    raft.send(new Message.InstallSnapshot(to, raft.id, raft.term(), snapshot));
    return true;
  }

  // ---- heartbeats

  void onBeat() {
    if (raft.isLeader()) {
      broadcastHeartbeat();
    }
  }

  /// Tells everybody, learners too, that we lead, with the read round that is open, if any (Raft thesis §6.4).
  void broadcastHeartbeat() {
    Bytes context = raft.reads.openRound();
    for (int i = 0; i < tracker.size(); i++) {
      long to = tracker.id(i);
      if (to != raft.id) {
        Progress member = tracker.progress(i);
        // A member that lacks entries must not commit them: it may hold others in their place.
        long commit = Math.min(member.match(), log.committed());
        raft.send(new Message.Heartbeat(to, raft.id, raft.term(), commit, context));
        member.sentCommit(commit);
      }
    }
  }

  void onHeartbeatResponse(Message.HeartbeatResponse message) {
    Progress member = progressOf(message.from());
    if (member == null) {
      return;
    }
    member.setRecentActive(true);
    member.resumeFlow();
    if (member.match() < log.lastIndex() || member.state() == ProgressState.PROBE) {
      maybeSend(message.from(), member, true);
    }
    raft.reads.onAck(message.from(), message.context());
  }

  /// A leader that cannot reach a quorum stops leading, so that clients do not wait for it (Raft thesis §6.2).
  void onCheckQuorum() {
    if (!raft.isLeader()) {
      return;
    }
    if (!tracker.isQuorumActive(raft.id)) {
      raft.warn(() -> hex(raft.id) + " stepped down to follower since quorum is not active");
      raft.becomeFollower(raft.term(), 0);
    }
    for (int i = 0; i < tracker.size(); i++) {
      if (tracker.id(i) != raft.id) {
        tracker.progress(i).setRecentActive(false);
      }
    }
  }

  // ---- answers

  void onAppendResponse(Message.AppendResponse message) {
    Progress member = progressOf(message.from());
    if (member == null) {
      return;
    }
    member.setRecentActive(true);
    if (message.reject()) {
      onRejected(message, member);
    } else {
      onAccepted(message, member);
    }
  }

  /// The follower has no entry (prevIndex, prevTerm). Its hint is the last place where, by terms, the logs may still
  /// meet; our own terms narrow it further, so that one round trip skips a whole term (Raft paper §5.3, last part).
  private void onRejected(Message.AppendResponse message, Progress member) {
    raft.debug(
        () ->
            hex(raft.id) + " received MsgAppResp(rejected, hint: (index " + message.hintIndex() + ", term "
                + message.hintTerm() + ")) from " + hex(message.from()) + " for index " + message.index());
    long probe = message.hintIndex();
    if (message.hintTerm() > 0) {
      probe = log.findConflictByTerm(message.hintIndex(), message.hintTerm());
    }
    if (member.maybeDecrementTo(message.index(), probe)) {
      raft.debug(() -> hex(raft.id) + " decreased progress of " + hex(message.from()) + " to [" + member + "]");
      if (member.state() == ProgressState.REPLICATE) {
        member.becomeProbe();
      }
      maybeSend(message.from(), member, true);
    }
  }

  private void onAccepted(Message.AppendResponse message, Progress member) {
    long from = message.from();
    // An acknowledgement of nothing new still ends probing: the logs do meet at match.
    boolean useful =
        member.maybeUpdate(message.index())
            || (member.match() == message.index() && member.state() == ProgressState.PROBE);
    if (!useful) {
      return;
    }
    switch (member.state()) {
      case PROBE -> member.becomeReplicate();
      case SNAPSHOT -> {
        // Whatever brought it here, this snapshot or another, our log continues where it is.
        if (member.match() + 1 >= log.firstIndex()) {
          raft.debug(
              () ->
                  hex(raft.id) + " recovered from needing snapshot, resumed sending replication messages to "
                      + hex(from) + " [" + member + "]");
          member.becomeProbe();
          member.becomeReplicate();
        }
      }
      case REPLICATE -> member.inflights().freeTo(message.index());
    }
    if (maybeCommit()) {
      broadcastAppend();
    } else if (from != raft.id && member.canBumpCommit(log.committed())) {
      maybeSend(from, member, true);
    }
    if (from != raft.id) {
      // Freed flow control may let several messages through.
      while (maybeSend(from, member, false)) {
        Invariant.check(raft.isLeader(), "sending the log without leading");
      }
    }
    raft.transfers.onCaughtUp(from, member);
  }

  /// Commits what a quorum holds (Raft paper §5.3, §5.4.2), and lets go the reads that waited for this term's first.
  ///
  /// @return whether that was anything new, which all members should hear of
  boolean maybeCommit() {
    boolean news = log.maybeCommit(tracker.committed(), raft.term());
    if (news) {
      raft.reads.releasePending();
    }
    return news;
  }

  /// Whether an entry of this term is committed: before that, a leader does not know what is (Raft paper §8).
  boolean hasCommittedInTerm() {
    return log.termOrZero(log.committed()) == raft.term();
  }

  void onSnapshotStatus(Message.SnapshotStatus message) {
    Progress member = progressOf(message.from());
    if (member == null || member.state() != ProgressState.SNAPSHOT) {
      return;
    }
    if (message.reject()) {
      member.snapshotFailed();
    } else {
      member.becomeProbe();
    }
    raft.debug(
        () ->
            hex(raft.id) + " snapshot " + (message.reject() ? "failed" : "succeeded")
                + ", resumed sending replication messages to " + hex(message.from()) + " [" + member + "]");
    // If it succeeded, the member's own answer is on its way; if it failed, there is no hurry to fail again.
    member.pauseFlow();
  }

  void onUnreachable(Message.Unreachable message) {
    Progress member = progressOf(message.from());
    if (member == null) {
      return;
    }
    // What was pipelined is probably lost: go back to where the member is known to be.
    if (member.state() == ProgressState.REPLICATE) {
      member.becomeProbe();
    }
    raft.debug(
        () ->
            hex(raft.id) + " failed to send message to " + hex(message.from()) + " because it is unreachable ["
                + member + "]");
  }

  /// The progress of a member, null when this node does not lead or `id` is no member.
  @Nullable Progress progressOf(long id) {
    if (!raft.isLeader()) {
      return null;
    }
    Progress member = tracker.find(id);
    if (member == null) {
      raft.debug(() -> hex(raft.id) + " no progress available for " + hex(id));
    }
    return member;
  }
}
