package dev.kvorum.raft.bench;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;

/// Clients and followers of a leader: batches are proposed one after another, and each append that the leader sends is
/// answered at once, in order. Each follower is sent two for each batch, the entries and then the commit index.
///
/// Proposals and answers are made beforehand, since their makers work elsewhere; answers tell only how far a follower's
/// log goes, so that both of a batch are the same message. All payloads are one array, of which raft sees but the size.
/// A script can be played any number of times, each time on a node of its own.
final class LeaderScript {
  private static final long LEADER = 1;
  private static final long TERM = 1;

  private final int members;
  private final boolean asynchronous;
  private final int batch;
  private final int batches;
  private final List<Bytes> proposal;
  private final Message.AppendResponse[][] answers;

  /// @param entries how many are proposed in all, in batches of `batch`
  LeaderScript(int members, boolean asynchronous, int entries, int batch, int payloadBytes) {
    this.members = members;
    this.asynchronous = asynchronous;
    this.batch = batch;
    batches = entries / batch;
    proposal = new ArrayList<>(Collections.nCopies(batch, Bytes.wrap(new byte[payloadBytes])));
    answers = new Message.AppendResponse[members + 1][batches];
    for (int follower = 2; follower <= members; follower++) {
      for (int i = 0; i < batches; i++) {
        answers[follower][i] = new Message.AppendResponse(LEADER, follower, TERM, lastIndex(i), false, 0, 0);
      }
    }
  }

  /// A leader's log begins with its empty entry.
  private long lastIndex(int atBatch) {
    return 1 + (atBatch + 1L) * batch;
  }

  /// A leader whose followers have acknowledged the first entry of its term.
  DrivenNode elected() {
    DrivenNode leader = new DrivenNode(LEADER, members, asynchronous);
    leader.node().campaign();
    leader.settle();
    for (Message sent = leader.takeSent(); sent != null; sent = leader.takeSent()) {
      leader.take(consent(sent));
    }
    leader.checkDone(1);
    return leader;
  }

  private static Message consent(Message request) {
    return switch (request) {
      case Message.PreVote m -> new Message.PreVoteResponse(m.from(), m.to(), m.term(), false);
      case Message.Vote m -> new Message.VoteResponse(m.from(), m.to(), m.term(), false);
      case Message.Append m ->
          new Message.AppendResponse(m.from(), m.to(), m.term(), m.prevIndex() + m.entries().size(), false, 0, 0);
      default -> throw new AssertionError("not expected: " + request);
    };
  }

  /// Proposes everything; each batch is committed and applied before the next.
  ///
  /// @param network is given what the leader sends
  /// @return the last index
  long play(DrivenNode leader, Consumer<Message> network) {
    for (int i = 0; i < batches; i++) {
      if (!leader.node().propose(proposal).isOk()) {
        throw new AssertionError("refused");
      }
      leader.settle();
      for (Message sent = leader.takeSent(); sent != null; sent = leader.takeSent()) {
        network.accept(sent);
        leader.take(answers[(int) sent.to()][i]);
      }
      leader.checkDone(lastIndex(i));
    }
    return leader.node().committed();
  }
}
