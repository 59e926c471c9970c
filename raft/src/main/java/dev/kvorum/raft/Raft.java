package dev.kvorum.raft;

import dev.kvorum.env.Invariant;
import dev.kvorum.raft.quorum.JointQuorum;
import dev.kvorum.raft.tracker.Progress;
import dev.kvorum.raft.tracker.ProgressTracker;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A node's state, the rules about terms, the passage between roles, and the way out for messages. What each message
/// means is in the part that handles it: [Elections], [Replication], [Following], [Proposals], [Reads], [Transfers],
/// [Reconfiguration], [StorageWork].
final class Raft {
  final long id;
  final RaftConfig config;
  final RaftConfig.Rules rules;
  final EntryLog log;
  final ProgressTracker tracker;

  final Elections elections;
  final Replication replication;
  final Following following;
  final Proposals proposals;
  final Reads reads;
  final Transfers transfers;
  final Reconfiguration reconfiguration;
  final StorageWork storageWork;

  private final RandomGenerator random;
  private long term;
  private long vote;
  private long lead;
  private RaftState state = RaftState.FOLLOWER;
  private @Nullable SoftState softState;

  /// Ticks since the last word from the leader; on a leader, since it last counted its quorum.
  private int electionElapsed;

  private int heartbeatElapsed;
  private int electionTimeout;

  private final ArrayList<Message> messages = new ArrayList<>();
  private final ArrayList<Message> messagesAfterAppend = new ArrayList<>();
  private ArrayList<ReadState> readStates = new ArrayList<>();

  Raft(RaftConfig config) {
    this.config = config;
    id = config.id();
    rules = config.rules();
    random = config.random();
    log = new EntryLog(config.storage(), config.log(), config.limits().committedBytesPerReadyMax());
    tracker = new ProgressTracker(config.limits().inflightMessagesMax(), config.limits().inflightBytesMax());
    elections = new Elections(this);
    replication = new Replication(this);
    following = new Following(this);
    proposals = new Proposals(this);
    reads = new Reads(this);
    transfers = new Transfers(this);
    reconfiguration = new Reconfiguration(this);
    storageWork = new StorageWork(this);

    LogStorage.InitialState initial = config.storage().initialState();
    reconfiguration.restore(initial.confState());
    load(initial.hardState());
    if (config.applied() > 0) {
      log.appliedTo(config.applied(), 0);
    }
    becomeFollower(term, 0);
    info(
        () ->
            "newRaft " + hex(id) + " [peers: ["
                + String.join(",", voterIds()) + "], term: " + term + ", commit: " + log.committed()
                + ", applied: " + log.applied() + ", lastindex: " + log.lastIndex() + ", lastterm: " + log.lastTerm()
                + "]");
  }

  private void load(HardState hardState) {
    if (hardState.isEmpty()) {
      return;
    }
    Invariant.check(
        hardState.commit() >= log.committed() && hardState.commit() <= log.lastIndex(),
        () ->
            hex(id) + " state.commit " + hardState.commit() + " is out of range [" + log.committed() + ", "
                + log.lastIndex() + "]");
    log.commitTo(hardState.commit());
    term = hardState.term();
    vote = hardState.vote();
  }

  private List<String> voterIds() {
    return tracker.configuration().voters().ids().toList().stream().map(Texts::hex).toList();
  }

  // ---- what this node is

  long term() {
    return term;
  }

  long vote() {
    return vote;
  }

  void voteFor(long candidate) {
    electionElapsed = 0;
    vote = candidate;
  }

  long lead() {
    return lead;
  }

  RaftState state() {
    return state;
  }

  boolean isLeader() {
    return state == RaftState.LEADER;
  }

  HardState hardState() {
    return new HardState(term, vote, log.committed());
  }

  SoftState softState() {
    SoftState known = softState;
    if (known == null || known.lead() != lead || known.state() != state) {
      known = new SoftState(lead, state);
      softState = known;
    }
    return known;
  }

  /// Whether this node may become a leader: a voter, as far as it knows, whose state machine is not being replaced.
  boolean isPromotable() {
    Progress self = tracker.find(id);
    return self != null && !self.isLearner() && !log.unstable().hasSnapshot();
  }

  /// Whether this node alone decides. A leader that was removed may lead a single voter other than itself; it does not.
  boolean isLoneVoter() {
    JointQuorum voters = tracker.configuration().voters();
    return voters.isSingleton() && voters.contains(id);
  }

  // ---- roles (Raft paper §5.1, figure 4)

  void becomeFollower(long newTerm, long newLead) {
    reset(newTerm);
    lead = newLead;
    state = RaftState.FOLLOWER;
    info(() -> hex(id) + " became follower at term " + term);
  }

  void becomeCandidate() {
    Invariant.check(state != RaftState.LEADER, "invalid transition [leader -> candidate]");
    reset(term + 1);
    vote = id;
    state = RaftState.CANDIDATE;
    info(() -> hex(id) + " became candidate at term " + term);
  }

  /// Neither term nor vote change: nobody needs to know yet (Raft thesis §9.6).
  void becomePreCandidate() {
    Invariant.check(state != RaftState.LEADER, "invalid transition [leader -> pre-candidate]");
    tracker.resetVotes();
    lead = 0;
    state = RaftState.PRE_CANDIDATE;
    info(() -> hex(id) + " became pre-candidate at term " + term);
  }

  /// The new leader's first entry is empty: committing it commits what earlier leaders left (Raft paper §5.4.2, §8).
  void becomeLeader() {
    Invariant.check(state != RaftState.FOLLOWER, "invalid transition [follower -> leader]");
    reset(term);
    lead = id;
    state = RaftState.LEADER;
    Progress self = tracker.find(id);
    Invariant.check(self != null, "a leader outside of its own configuration");
    self.becomeReplicate();
    self.setRecentActive(true);
    // There may be a conf change among the entries not committed yet; finding out costs more than waiting for them.
    proposals.confChangePendingAt(log.lastIndex());
    proposals.appendEmpty();
    info(() -> hex(id) + " became leader at term " + term);
  }

  private void reset(long newTerm) {
    if (term != newTerm) {
      term = newTerm;
      vote = 0;
    }
    lead = 0;
    electionElapsed = 0;
    heartbeatElapsed = 0;
    electionTimeout = config.electionTicks() + random.nextInt(config.electionTicks());
    tracker.resetVotes();
    tracker.reset(id, log.lastIndex());
    transfers.abort();
    proposals.reset();
    reads.reset();
  }

  /// A follower heard from its leader.
  void followLeader(long from) {
    electionElapsed = 0;
    lead = from;
  }

  void forgetLeader() {
    lead = 0;
  }

  // ---- time

  void tick() {
    if (isLeader()) {
      tickLeader();
    } else {
      electionElapsed++;
      if (electionElapsed >= electionTimeout && isPromotable()) {
        electionElapsed = 0;
        elections.onHup();
      }
    }
  }

  private void tickLeader() {
    heartbeatElapsed++;
    electionElapsed++;
    if (electionElapsed >= config.electionTicks()) {
      electionElapsed = 0;
      if (rules.checkQuorum()) {
        replication.onCheckQuorum();
      }
      if (isLeader()) {
        // A transfer that takes longer than an election timeout is given up (Raft thesis §3.10).
        transfers.abort();
      }
    }
    if (isLeader() && heartbeatElapsed >= config.heartbeatTicks()) {
      heartbeatElapsed = 0;
      replication.broadcastHeartbeat();
    }
  }

  void restartElectionTimer() {
    electionElapsed = 0;
  }

  int electionElapsed() {
    return electionElapsed;
  }

  void forceElectionTimeout(int ticks) {
    electionTimeout = ticks;
  }

  // ---- messages in

  StepResult step(Message message) {
    long messageTerm = message.term();
    if (messageTerm != 0) {
      if (messageTerm > term) {
        if (!meetHigherTerm(message)) {
          return StepResult.OK;
        }
      } else if (messageTerm < term) {
        meetLowerTerm(message);
        return StepResult.OK;
      }
    }
    return dispatch(message);
  }

  /// @return false when the message is to be ignored
  private boolean meetHigherTerm(Message message) {
    if (message instanceof Message.VoteRequest request && elections.isLeaseInForceAgainst(request)) {
      return false;
    }
    boolean keepsTerm =
        message instanceof Message.PreVote
            // A granted pre-vote carries the term we asked for; we move there only if we win.
            || (message instanceof Message.PreVoteResponse answer && !answer.reject());
    if (!keepsTerm) {
      info(
          () ->
              hex(id) + " [term: " + term + "] received a " + name(message) + " message with higher term from "
                  + hex(message.from()) + " [term: " + message.term() + "]");
      boolean fromLeader =
          switch (message) {
            case Message.Append m -> true;
            case Message.Heartbeat m -> true;
            case Message.InstallSnapshot m -> true;
            default -> false;
          };
      becomeFollower(message.term(), fromLeader ? message.from() : 0);
    }
    return true;
  }

  private void meetLowerTerm(Message message) {
    switch (message) {
      case Message.Append m when rules.checkQuorum() || rules.preVote() -> answerStaleLeader(m.from());
      case Message.Heartbeat m when rules.checkQuorum() || rules.preVote() -> answerStaleLeader(m.from());
      case Message.PreVote m -> elections.rejectStale(m);
      case Message.StorageAppendResponse m -> storageWork.onStaleAppended(m);
      default ->
          info(
              () ->
                  hex(id) + " [term: " + term + "] ignored a " + name(message) + " message with lower term from "
                      + hex(message.from()) + " [term: " + message.term() + "]");
    }
  }

  /// A node that was cut off and raised its term alone cannot be heard by the leader's voters while their lease lasts,
  /// nor hear the leader. Answering with our term makes the leader step down and re-elect, which frees us (Raft thesis
  /// §9.6 explains the same trap for pre-votes).
  private void answerStaleLeader(long leader) {
    sendAfterAppend(new Message.AppendResponse(leader, id, term, 0, false, 0, 0));
  }

  private StepResult dispatch(Message message) {
    switch (message) {
      case Message.AppendResponse m -> replication.onAppendResponse(m);
      case Message.Append m -> following.onAppend(m);
      case Message.StorageAppendResponse m -> storageWork.onAppended(m);
      case Message.StorageApplyResponse m -> storageWork.onApplied(m);
      case Message.Heartbeat m -> following.onHeartbeat(m);
      case Message.HeartbeatResponse m -> replication.onHeartbeatResponse(m);
      case Message.Propose m -> {
        return proposals.onPropose(m);
      }
      case Message.ReadIndex m -> reads.onReadIndex(m);
      case Message.ReadIndexResponse m -> reads.onReadIndexResponse(m);
      case Message.InstallSnapshot m -> following.onInstallSnapshot(m);
      case Message.SnapshotStatus m -> replication.onSnapshotStatus(m);
      case Message.Unreachable m -> replication.onUnreachable(m);
      case Message.Hup m -> elections.onHup();
      case Message.Beat m -> replication.onBeat();
      case Message.CheckQuorum m -> replication.onCheckQuorum();
      case Message.Vote m -> elections.onVoteRequest(m);
      case Message.PreVote m -> elections.onVoteRequest(m);
      case Message.VoteResponse m -> elections.onVoteAnswer(m);
      case Message.PreVoteResponse m -> elections.onVoteAnswer(m);
      case Message.TransferLeader m -> transfers.onTransferLeader(m);
      case Message.TimeoutNow m -> transfers.onTimeoutNow(m);
      case Message.ForgetLeader m -> following.onForgetLeader();
      case Message.StorageAppend m -> throw Invariant.unreachable("storage work sent to a node");
      case Message.StorageApply m -> throw Invariant.unreachable("storage work sent to a node");
    }
    return StepResult.OK;
  }

  // ---- messages out

  /// Sends what may leave at once, never to this node itself.
  void send(Message message) {
    Invariant.check(message.to() != id, "a message to this node itself that does not wait for storage");
    messages.add(message);
  }

  /// Sends what may leave only after everything up to now is saved: acknowledgements and votes (Raft paper §5.1,
  /// "persistent state … updated on stable storage before responding"). May be for this node itself.
  void sendAfterAppend(Message message) {
    messagesAfterAppend.add(message);
  }

  void answerRead(ReadState readState) {
    readStates.add(readState);
  }

  boolean hasOutput() {
    return !messages.isEmpty() || !messagesAfterAppend.isEmpty() || !readStates.isEmpty();
  }

  /// What [#send] collected. Whoever hands it out copies it and clears it.
  ArrayList<Message> messages() {
    return messages;
  }

  /// What [#sendAfterAppend] collected. Whoever hands it out copies it and clears it.
  ArrayList<Message> messagesAfterAppend() {
    return messagesAfterAppend;
  }

  List<ReadState> takeReadStates() {
    if (readStates.isEmpty()) {
      return List.of();
    }
    List<ReadState> taken = readStates;
    readStates = new ArrayList<>();
    return taken;
  }

  // ---- log lines

  void debug(Supplier<String> message) {
    config.log().log(RaftLog.Level.DEBUG, message);
  }

  void info(Supplier<String> message) {
    config.log().log(RaftLog.Level.INFO, message);
  }

  void warn(Supplier<String> message) {
    config.log().log(RaftLog.Level.WARN, message);
  }

  void error(Supplier<String> message) {
    config.log().log(RaftLog.Level.ERROR, message);
  }

  static String hex(long id) {
    return Texts.hex(id);
  }

  static String name(Message message) {
    return message.type().etcdName();
  }
}
