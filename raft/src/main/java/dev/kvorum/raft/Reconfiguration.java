package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.confchange.ConfChangeRefusedException;
import dev.kvorum.raft.confchange.ConfChanger;
import dev.kvorum.raft.tracker.Configuration;
import dev.kvorum.raft.tracker.Progress;
import dev.kvorum.raft.tracker.ProgressTracker;
import java.util.List;

/// Changing the members (Raft thesis §4). Unlike the thesis, and like etcd, a configuration comes into force when its
/// entry is *applied*, not when it is appended; hence the rule that a further change waits until then.
final class Reconfiguration {
  /// No bytes at all read as a V2 change without changes.
  private static final Message.Propose LEAVE =
      new Message.Propose(0, 0, List.of(new Entry(EntryType.CONF_CHANGE_V2, 0, 0, Bytes.EMPTY)));

  private final Raft raft;

  /// The configuration holds all changes up to here at least: the last restored snapshot's index.
  private long restoredIndex;

  Reconfiguration(Raft raft) {
    this.raft = raft;
  }

  static ConfChange.V2 asV2(ConfChange change) {
    return switch (change) {
      case ConfChange.V1 v1 ->
          new ConfChange.V2(
              ConfChange.Transition.AUTO, List.of(new ConfChange.Single(v1.type(), v1.nodeId())), v1.context());
      case ConfChange.V2 v2 -> v2;
    };
  }

  /// @param index of the entry. A snapshot may overtake entries handed out for application; its configuration holds
  ///     their changes already, and making them again would undo later ones.
  ConfState apply(long index, ConfChange applied) {
    if (index <= restoredIndex) {
      return raft.tracker.configuration().confState();
    }
    return apply(applied);
  }

  ConfState apply(ConfChange applied) {
    ConfChange.V2 change = asV2(applied);
    ConfChanger changer = new ConfChanger(raft.tracker, raft.log.lastIndex());
    boolean auto = change.transition() == ConfChange.Transition.AUTO;
    try {
      if (auto && change.changes().isEmpty()) {
        changer.leaveJoint();
      } else if (!auto || change.changes().size() > 1) {
        changer.enterJoint(change.transition() != ConfChange.Transition.JOINT_EXPLICIT, change.changes());
      } else {
        changer.simple(change.changes());
      }
    } catch (ConfChangeRefusedException refused) {
      // It is committed: every member fails here alike, and going on would let them part ways.
      throw new InvariantViolation("a committed conf change cannot be applied: " + refused.getMessage(), refused);
    }
    return switchTo(changer);
  }

  /// Puts in force what a received snapshot says.
  void restore(Snapshot snapshot) {
    restoredIndex = snapshot.index();
    restore(snapshot.confState());
  }

  /// Puts in force what storage or a snapshot says.
  void restore(ConfState state) {
    ProgressTracker empty =
        new ProgressTracker(
            raft.config.limits().inflightMessagesMax(), raft.config.limits().inflightBytesMax());
    ConfChanger changer = new ConfChanger(empty, raft.log.lastIndex());
    try {
      changer.restore(state);
    } catch (ConfChangeRefusedException refused) {
      throw new InvariantViolation("no such configuration: " + state, refused);
    }
    ConfState restored = switchTo(changer);
    Invariant.check(restored.equals(sorted(state)), () -> "restored " + restored + " from " + state);
  }

  private static ConfState sorted(ConfState state) {
    return new ConfState(
        ascending(state.voters()),
        ascending(state.learners()),
        ascending(state.votersOutgoing()),
        ascending(state.learnersNext()),
        state.autoLeave());
  }

  private static List<Long> ascending(List<Long> ids) {
    return ids.stream().sorted(Long::compareUnsigned).toList();
  }

  private ConfState switchTo(ConfChanger changer) {
    Configuration next = changer.configuration();
    raft.tracker.switchTo(next, changer.members());
    raft.info(() -> hex(raft.id) + " switched to configuration " + next);
    ConfState state = next.confState();
    if (!raft.isLeader()) {
      return state;
    }
    Progress self = raft.tracker.find(raft.id);
    if (self == null || self.isLearner()) {
      // A leader that is no voter goes on until its successors have the change, without counting itself (Raft thesis
      // §4.2.2); or stops at once, which costs an election but surprises nobody.
      if (raft.rules.stepDownOnRemoval()) {
        raft.becomeFollower(raft.term(), 0);
      }
      return state;
    }
    if (next.voters().incoming().isEmpty()) {
      return state;
    }
    if (raft.replication.maybeCommit()) {
      // The new quorum is smaller, and had already agreed.
      raft.replication.broadcastAppend();
    } else {
      raft.replication.broadcastMissing();
    }
    long transferee = raft.transfers.transferee();
    if (transferee != 0 && !next.voters().contains(transferee)) {
      raft.transfers.abort();
    }
    return state;
  }

  /// The application applied up to `index`. A leader in a joint configuration that leaves by itself does so once the
  /// change that entered it is applied.
  void onApplied(long index) {
    Configuration current = raft.tracker.configuration();
    if (!current.autoLeave() || !raft.isLeader() || index < raft.proposals.pendingConfIndex()) {
      return;
    }
    if (raft.proposals.onPropose(LEAVE).isOk()) {
      raft.info(() -> "initiating automatic transition out of joint configuration " + current);
    } else {
      // A transfer is going on; the next applied entry, ours or another leader's, tries again.
      raft.debug(
          () ->
              "not initiating automatic transition out of joint configuration " + current + ": "
                  + StepResult.PROPOSAL_DROPPED.text());
    }
  }

  static Message.Propose proposal(ConfChange change) {
    Entry entry = new Entry(ConfChangeCodec.entryType(change), 0, 0, ConfChangeCodec.encode(change));
    return new Message.Propose(0, 0, List.of(entry));
  }
}
