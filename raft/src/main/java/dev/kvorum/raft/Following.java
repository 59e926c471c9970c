package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;

import dev.kvorum.env.Invariant;
import dev.kvorum.raft.tracker.Progress;

/// A follower's side: taking the leader's entries, commit index and snapshots (Raft paper §5.3, §7).
final class Following {
  private final Raft raft;
  private final EntryLog log;

  Following(Raft raft) {
    this.raft = raft;
    log = raft.log;
  }

  /// Someone leads this term: whoever still hoped to, gives up (Raft paper §5.2).
  ///
  /// @return false when we lead this term ourselves, so that the message is nonsense
  private boolean accept(Message message) {
    switch (raft.state()) {
      case FOLLOWER -> raft.followLeader(message.from());
      case CANDIDATE, PRE_CANDIDATE -> raft.becomeFollower(message.term(), message.from());
      case LEADER -> {
        // Only for its word to the log, should the sender be a stranger.
        raft.replication.progressOf(message.from());
        return false;
      }
    }
    return true;
  }

  void onAppend(Message.Append message) {
    if (!accept(message)) {
      return;
    }
    if (message.prevIndex() < log.committed()) {
      // A late duplicate: all we have to say is how far we are for certain.
      acknowledge(message.from(), log.committed());
    } else if (log.maybeAppend(message.prevIndex(), message.prevTerm(), message.entries(), message.commit())) {
      acknowledge(message.from(), message.prevIndex() + message.entries().size());
    } else {
      reject(message);
    }
  }

  private void acknowledge(long leader, long index) {
    raft.sendAfterAppend(new Message.AppendResponse(leader, raft.id, raft.term(), index, false, 0, 0));
  }

  /// Our log does not hold the entry before these. Terms only ascend along a log, so the last place it may still agree
  /// with the leader's is the last entry of ours whose term is no higher than the leader's at prevIndex.
  private void reject(Message.Append message) {
    raft.debug(
        () ->
            hex(raft.id) + " " + Texts.lastEntry(log.termOrZero(message.prevIndex()), message.prevIndex())
                + " rejected MsgApp " + Texts.lastEntry(message.prevTerm(), message.prevIndex()) + " from "
                + hex(message.from()));
    long hintIndex = log.findConflictByTerm(Math.min(message.prevIndex(), log.lastIndex()), message.prevTerm());
    long hintTerm = log.termOrZero(hintIndex);
    raft.sendAfterAppend(
        new Message.AppendResponse(
            message.from(), raft.id, raft.term(), message.prevIndex(), true, hintTerm, hintIndex));
  }

  void onHeartbeat(Message.Heartbeat message) {
    if (accept(message)) {
      log.commitTo(message.commit());
      raft.send(new Message.HeartbeatResponse(message.from(), raft.id, raft.term(), message.context()));
    }
  }

  void onInstallSnapshot(Message.InstallSnapshot message) {
    if (!accept(message)) {
      return;
    }
    Snapshot snapshot = message.snapshot();
    String position = Texts.position(snapshot.index(), snapshot.term());
    if (restore(snapshot)) {
      raft.info(() -> hex(raft.id) + " [commit: " + log.committed() + "] restored snapshot " + position);
      acknowledge(message.from(), log.lastIndex());
    } else {
      raft.info(() -> hex(raft.id) + " [commit: " + log.committed() + "] ignored snapshot " + position);
      acknowledge(message.from(), log.committed());
    }
  }

  /// Makes `snapshot` our log and configuration, if it is ahead of what we know.
  private boolean restore(Snapshot snapshot) {
    if (snapshot.index() <= log.committed()) {
      return false;
    }
    Invariant.check(raft.state() == RaftState.FOLLOWER, "restoring a snapshot without following");
    if (!isMemberIn(snapshot.confState())) {
      raft.warn(
          () ->
              hex(raft.id) + " attempted to restore snapshot but it is not in the ConfState "
                  + Texts.describe(snapshot.confState()) + "; should never happen");
      return false;
    }
    String position = Texts.position(snapshot.index(), snapshot.term());
    if (log.matches(snapshot.index(), snapshot.term())) {
      // Our log holds all of it: nothing to throw away (Raft paper §7).
      raft.info(() -> ourLog() + " fast-forwarded commit to snapshot " + position);
      log.commitTo(snapshot.index());
      return false;
    }
    log.restore(snapshot);
    raft.reconfiguration.restore(snapshot);
    Progress self = raft.tracker.find(raft.id);
    Invariant.check(self != null, "restored a configuration without this node");
    self.maybeUpdate(self.next() - 1);
    raft.info(() -> ourLog() + " restored snapshot " + position);
    return true;
  }

  private String ourLog() {
    return hex(raft.id) + " [commit: " + log.committed() + ", lastindex: " + log.lastIndex() + ", lastterm: "
        + log.lastTerm() + "]";
  }

  private boolean isMemberIn(ConfState state) {
    return state.voters().contains(raft.id)
        || state.learners().contains(raft.id)
        // Learners to be are outgoing voters.
        || state.votersOutgoing().contains(raft.id);
  }

  /// Lets this follower grant pre-votes before its lease runs out: its user knows that the leader is gone.
  void onForgetLeader() {
    if (raft.state() != RaftState.FOLLOWER) {
      return;
    }
    if (raft.rules.readOnlyOption() == ReadOnlyOption.LEASE_BASED) {
      // The leader serves reads trusting that nobody else is elected within its lease.
      raft.error(() -> "ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
    } else if (raft.lead() != 0) {
      raft.info(() -> hex(raft.id) + " forgetting leader " + hex(raft.lead()) + " at term " + raft.term());
      raft.forgetLeader();
    }
  }
}
