package dev.kvorum.raft;

import static dev.kvorum.raft.Raft.hex;
import static dev.kvorum.raft.Raft.name;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.quorum.IdSet;
import dev.kvorum.raft.quorum.Votes;

/// How leaders are chosen (Raft paper §5.2, §5.4.1), with pre-vote (Raft thesis §9.6), leader leases against disruptive
/// members (§4.2.3) and forced elections for leadership transfer (§3.10).
final class Elections {
  /// What a campaign is for.
  enum Campaign {
    /// A rehearsal: would I win? Changes nobody's term.
    PRE_ELECTION,
    ELECTION,
    /// An election the present leader asked for: leases do not stand against it.
    TRANSFER
  }

  /// The context of a [Message.Vote] that overrides leases.
  static final Bytes TRANSFER_CONTEXT = Bytes.utf8("CampaignTransfer");

  private final Raft raft;

  Elections(Raft raft) {
    this.raft = raft;
  }

  void onHup() {
    hup(raft.rules.preVote() ? Campaign.PRE_ELECTION : Campaign.ELECTION);
  }

  void hup(Campaign campaign) {
    if (raft.isLeader()) {
      raft.debug(() -> hex(raft.id) + " ignoring MsgHup because already leader");
      return;
    }
    if (!raft.isPromotable()) {
      raft.warn(() -> hex(raft.id) + " is unpromotable and can not campaign");
      return;
    }
    if (raft.log.hasUnappliedConfChange()) {
      // Our configuration is out of date: the quorum we would win may not be one.
      raft.warn(
          () ->
              hex(raft.id) + " cannot campaign at term " + raft.term()
                  + " since there are still pending configuration changes to apply");
      return;
    }
    raft.info(() -> hex(raft.id) + " is starting a new election at term " + raft.term());
    campaign(campaign);
  }

  private void campaign(Campaign campaign) {
    boolean rehearsal = campaign == Campaign.PRE_ELECTION;
    if (rehearsal) {
      raft.becomePreCandidate();
    } else {
      raft.becomeCandidate();
    }
    long term = rehearsal ? raft.term() + 1 : raft.term();
    long lastIndex = raft.log.lastIndex();
    long lastTerm = raft.log.lastTerm();
    Bytes context = campaign == Campaign.TRANSFER ? TRANSFER_CONTEXT : Bytes.EMPTY;
    IdSet voters = raft.tracker.configuration().voters().ids();
    for (int i = 0; i < voters.size(); i++) {
      long voter = voters.at(i);
      if (voter == raft.id) {
        // Our own vote counts once it is on our disk, like anybody's.
        raft.sendAfterAppend(
            rehearsal
                ? new Message.PreVoteResponse(voter, voter, term, false)
                : new Message.VoteResponse(voter, voter, term, false));
        continue;
      }
      Message request =
          rehearsal
              ? new Message.PreVote(voter, raft.id, term, lastTerm, lastIndex, context)
              : new Message.Vote(voter, raft.id, term, lastTerm, lastIndex, context);
      raft.info(
          () ->
              hex(raft.id) + " " + Texts.lastEntry(lastTerm, lastIndex) + " sent " + name(request) + " request to "
                  + hex(voter) + " at term " + raft.term());
      raft.send(request);
    }
  }

  /// Whether we heard from a leader within the minimum election timeout, and so leave `request`, of a higher term,
  /// without an answer (Raft thesis §4.2.3).
  boolean isLeaseInForceAgainst(Message.VoteRequest request) {
    boolean inLease =
        raft.rules.checkQuorum() && raft.lead() != 0 && raft.electionElapsed() < raft.config.electionTicks();
    if (!inLease || request.context().equals(TRANSFER_CONTEXT)) {
      return false;
    }
    raft.info(
        () ->
            hex(raft.id) + " " + ourPosition() + " ignored " + theirRequest(request)
                + ": lease is not expired (remaining ticks: "
                + (raft.config.electionTicks() - raft.electionElapsed()) + ")");
    return true;
  }

  void rejectStale(Message.PreVote request) {
    raft.info(() -> hex(raft.id) + " " + ourPosition() + " rejected " + theirRequest(request));
    raft.sendAfterAppend(new Message.PreVoteResponse(request.from(), raft.id, raft.term(), true));
  }

  /// Any member answers, whatever it is: a learner, too, may be a voter by now without knowing it yet.
  void onVoteRequest(Message.VoteRequest request) {
    boolean rehearsal = request instanceof Message.PreVote;
    boolean free =
        raft.vote() == request.from()
            || (raft.vote() == 0 && raft.lead() == 0)
            || (rehearsal && request.term() > raft.term());
    boolean granted = free && raft.log.isUpToDate(request.lastTerm(), request.lastIndex());
    if (granted) {
      raft.info(
          () ->
              hex(raft.id) + " " + ourPosition() + " cast " + name(request) + " for " + theirPosition(request));
    } else {
      raft.info(() -> hex(raft.id) + " " + ourPosition() + " rejected " + theirRequest(request));
    }
    // A granted pre-vote answers in the term asked about, which is not ours yet.
    long term = granted ? request.term() : raft.term();
    raft.sendAfterAppend(
        rehearsal
            ? new Message.PreVoteResponse(request.from(), raft.id, term, !granted)
            : new Message.VoteResponse(request.from(), raft.id, term, !granted));
    if (granted && !rehearsal) {
      raft.voteFor(request.from());
    }
  }

  void onVoteAnswer(Message.VoteAnswer answer) {
    boolean awaited =
        switch (answer) {
          case Message.VoteResponse m -> raft.state() == RaftState.CANDIDATE;
          case Message.PreVoteResponse m -> raft.state() == RaftState.PRE_CANDIDATE;
        };
    if (!awaited) {
      return;
    }
    raft.info(
        () ->
            hex(raft.id) + " received " + name(answer) + (answer.reject() ? " rejection" : "") + " from "
                + hex(answer.from()) + " at term " + raft.term());
    raft.tracker.recordVote(answer.from(), !answer.reject());
    raft.info(
        () ->
            hex(raft.id) + " has received " + raft.tracker.count(Votes.YES) + " " + name(answer) + " votes and "
                + raft.tracker.count(Votes.NO) + " vote rejections");
    switch (raft.tracker.voteResult()) {
      case WON -> {
        if (raft.state() == RaftState.PRE_CANDIDATE) {
          campaign(Campaign.ELECTION);
        } else {
          raft.becomeLeader();
          raft.replication.broadcastAppend();
        }
      }
      case LOST -> raft.becomeFollower(raft.term(), 0);
      case PENDING -> {
        // More answers will come, or the next election timeout.
      }
    }
  }

  private String ourPosition() {
    return "[logterm: " + raft.log.lastTerm() + ", index: " + raft.log.lastIndex() + ", vote: " + hex(raft.vote())
        + "]";
  }

  private String theirRequest(Message.VoteRequest request) {
    return name(request) + " from " + theirPosition(request);
  }

  private String theirPosition(Message.VoteRequest request) {
    return hex(request.from()) + " " + Texts.lastEntry(request.lastTerm(), request.lastIndex()) + " at term "
        + raft.term();
  }
}
