package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;

import dev.kvorum.env.Invariant;
import dev.kvorum.raft.tracker.Progress;

/// Handing leadership over on request (Raft thesis §3.10): bring the target's log up to ours, then tell it to campaign
/// without waiting.
final class Transfers {
  private final Raft raft;
  private long transferee;

  Transfers(Raft raft) {
    this.raft = raft;
  }

  /// Whom leadership is being handed to, 0 when nobody. Meanwhile proposals are refused.
  long transferee() {
    return transferee;
  }

  void abort() {
    transferee = 0;
  }

  void onTransferLeader(Message.TransferLeader message) {
    switch (raft.state()) {
      case LEADER -> start(message.from());
      case FOLLOWER -> forward(message);
      case CANDIDATE, PRE_CANDIDATE -> {
        // Nobody leads.
      }
    }
  }

  private void forward(Message.TransferLeader message) {
    if (raft.lead() == 0) {
      raft.info(
          () -> hex(raft.id) + " no leader at term " + raft.term() + "; dropping leader transfer msg");
    } else {
      raft.send(new Message.TransferLeader(raft.lead(), message.from(), raft.term()));
    }
  }

  private void start(long target) {
    Progress member = raft.replication.progressOf(target);
    if (member == null) {
      return;
    }
    if (member.isLearner()) {
      raft.debug(() -> hex(raft.id) + " is learner. Ignored transferring leadership");
      return;
    }
    if (transferee != 0) {
      if (transferee == target) {
        raft.info(
            () ->
                atTerm() + " transfer leadership to " + hex(target)
                    + " is in progress, ignores request to same node " + hex(target));
        return;
      }
      long previous = transferee;
      abort();
      raft.info(() -> atTerm() + " abort previous transferring leadership to " + hex(previous));
    }
    if (target == raft.id) {
      raft.debug(() -> hex(raft.id) + " is already leader. Ignored transferring leadership to self");
      return;
    }
    raft.info(() -> atTerm() + " starts to transfer leadership to " + hex(target));
    // It has one election timeout from now on.
    raft.restartElectionTimer();
    transferee = target;
    if (member.match() == raft.log.lastIndex()) {
      sendTimeoutNow(target);
      raft.info(
          () ->
              hex(raft.id) + " sends MsgTimeoutNow to " + hex(target) + " immediately as " + hex(target)
                  + " already has up-to-date log");
    } else {
      raft.replication.maybeSend(target, member, true);
    }
  }

  /// `from` acknowledged entries: if it is the target and has them all now, it may go.
  void onCaughtUp(long from, Progress member) {
    if (from == transferee && transferee != 0 && member.match() == raft.log.lastIndex()) {
      raft.info(() -> hex(raft.id) + " sent MsgTimeoutNow to " + hex(from) + " after received MsgAppResp");
      sendTimeoutNow(from);
    }
  }

  private void sendTimeoutNow(long to) {
    Invariant.check(raft.isLeader(), "handing over what we do not have");
    raft.send(new Message.TimeoutNow(to, raft.id, raft.term()));
  }

  void onTimeoutNow(Message.TimeoutNow message) {
    switch (raft.state()) {
      case FOLLOWER -> {
        raft.info(
            () ->
                atTerm() + " received MsgTimeoutNow from " + hex(message.from())
                    + " and starts an election to get leadership.");
        // No rehearsal: we know that the leader wants it.
        raft.elections.hup(Elections.Campaign.TRANSFER);
      }
      case CANDIDATE, PRE_CANDIDATE ->
          raft.debug(
              () ->
                  hex(raft.id) + " [term " + raft.term() + " state " + raft.state().etcdName()
                      + "] ignored MsgTimeoutNow from " + hex(message.from()));
      // Late. If from a stranger, that is worth a word to the log.
      case LEADER -> raft.replication.progressOf(message.from());
    }
  }

  private String atTerm() {
    return hex(raft.id) + " [term " + raft.term() + "]";
  }
}
