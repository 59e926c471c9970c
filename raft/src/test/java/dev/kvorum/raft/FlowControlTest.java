package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Message.Append;
import dev.kvorum.raft.Message.AppendResponse;
import dev.kvorum.raft.Message.Heartbeat;
import dev.kvorum.raft.Message.HeartbeatResponse;
import dev.kvorum.raft.RaftConfig.Limits;
import dev.kvorum.raft.tracker.ProgressState;
import java.util.List;
import org.junit.jupiter.api.Test;

/// How much is on its way to one follower (Raft thesis §10.2.2 on pipelining; the limits are etcd raft's).
class FlowControlTest {
  private static final long NO_LIMIT = RaftConfig.UNLIMITED;

  private static Solo leader(Limits limits) {
    return Solo.among(2, Solo.limits(limits)).leadAndCommit();
  }

  private static ProgressState state(Solo solo) {
    return solo.node.status().progress().get(2L).state();
  }

  /// etcd raft: a member that is probed gets one message at a time.
  @Test
  void aNewLeaderProbesWithOneMessage() {
    Solo solo = Solo.among(2).lead();
    solo.propose("a").propose("b");
    assertThat(solo.takeSent(Append.class)).as("the first, with the empty entry").hasSize(1);
    solo.acknowledge(2, 1);
    assertThat(state(solo)).isEqualTo(ProgressState.REPLICATE);
    assertThat(solo.takeSent(Append.class)).singleElement().satisfies(m -> assertThat(m.entries()).hasSize(2));
  }

  /// Raft thesis §10.2.2: appends are pipelined, not waiting for the acknowledgement of the one before.
  @Test
  void replicationIsPipelined() {
    Solo solo = leader(Limits.ETCD);
    solo.propose("a").propose("b").propose("c");
    assertThat(solo.takeSent(Append.class)).extracting(Append::prevIndex).containsExactly(1L, 2L, 3L);
  }

  /// etcd raft: messages in flight are limited by number and by bytes; past it only empty ones go.
  @Test
  void aFullPipelineWaitsForAcknowledgements() {
    Solo solo = leader(new Limits(NO_LIMIT, NO_LIMIT, NO_LIMIT, 2, 0));
    solo.propose("a").propose("b").propose("c").propose("d");
    assertThat(solo.takeSent(Append.class)).hasSize(2);
    solo.acknowledge(2, 2);
    assertThat(solo.takeSent(Append.class).stream().filter(m -> !m.entries().isEmpty()))
        .singleElement()
        .satisfies(m -> assertThat(m.entries()).as("all that waited, together").hasSize(2));
  }

  /// etcd raft: messages in flight are limited by number and by bytes; past it only empty ones go.
  @Test
  void thePipelineIsLimitedByBytesToo() {
    Solo solo = leader(new Limits(10, NO_LIMIT, NO_LIMIT, 99, 10));
    solo.propose("123456").propose("123456").propose("123456");
    assertThat(solo.takeSent(Append.class)).as("one may go over the limit").hasSize(2);
    solo.acknowledge(2, 2);
    assertThat(solo.takeSent(Append.class).stream().filter(m -> !m.entries().isEmpty())).hasSize(1);
  }

  /// etcd raft: messages in flight are limited by number and by bytes; past it only empty ones go.
  @Test
  void aHeartbeatResponseLetsOneEmptyAppendThroughAFullPipeline() {
    Solo solo = leader(new Limits(NO_LIMIT, NO_LIMIT, NO_LIMIT, 1, 0));
    solo.propose("a").takeSent();
    solo.take(new HeartbeatResponse(1, 2, 1, Bytes.EMPTY));
    assertThat(solo.takeSent(Append.class)).singleElement().satisfies(m -> assertThat(m.entries()).isEmpty());
  }

  /// etcd raft: a message is limited in bytes, and holds one entry at least.
  @Test
  void messagesAreLimitedByEncodedSizeButHoldAtLeastOneEntry() {
    Solo solo = Solo.among(2, Solo.limits(new Limits(40, NO_LIMIT, NO_LIMIT, 99, 0))).lead();
    solo.propose("0123456789").propose("0123456789").propose("0123456789");
    solo.propose("a long entry, longer by itself than forty bytes").takeSent();
    solo.acknowledge(2, 1);
    // 1+1 for the term, 1+1 for the index, 1+1+10 for the data: 16 bytes each.
    assertThat(solo.takeSent(Append.class)).extracting(m -> m.entries().size()).containsExactly(2, 1, 1);
  }

  @Test
  void aLimitOfZeroSendsEntriesOneByOne() {
    Solo solo = Solo.among(2, Solo.limits(new Limits(0, NO_LIMIT, NO_LIMIT, 99, 0))).lead();
    solo.propose("a").propose("b").takeSent();
    solo.acknowledge(2, 1);
    assertThat(solo.takeSent(Append.class)).extracting(m -> m.entries().size()).containsExactly(1, 1);
  }

  /// Raft thesis §10.2.2: after a refusal or a failed send, the pipeline starts over from what is known to match.
  @Test
  void anUnreachableFollowerIsProbed() {
    Solo solo = leader(Limits.ETCD);
    solo.propose("lost");
    solo.node.reportUnreachable(2);
    assertThat(state(solo)).isEqualTo(ProgressState.PROBE);
    assertThat(solo.node.status().progress().get(2L).next()).as("back to what it has").isEqualTo(2);
  }

  /// Raft thesis §10.2.2: after a refusal or a failed send, the pipeline starts over from what is known to match.
  @Test
  void aRejectionInThePipelineGoesBackToProbing() {
    Solo solo = leader(Limits.ETCD);
    solo.propose("lost").propose("b").takeSent();
    solo.take(new AppendResponse(1, 2, 1, 2, true, 1, 1));
    assertThat(state(solo)).isEqualTo(ProgressState.PROBE);
    assertThat(solo.takeSent(Append.class)).singleElement().satisfies(m -> assertThat(m.prevIndex()).isEqualTo(1));
  }

  /// etcd raft: a refusal that contradicts what is known is late, and ignored.
  @Test
  void aStaleRejectionIsIgnored() {
    Solo solo = leader(Limits.ETCD);
    solo.propose("a").acknowledge(2, 2).takeSent();
    solo.take(new AppendResponse(1, 2, 1, 1, true, 0, 0));
    assertThat(state(solo)).isEqualTo(ProgressState.REPLICATE);
    assertThat(solo.takeSent()).isEmpty();
  }

  // ---- what a leader takes, and what it hands out for application

  /// etcd raft: uncommitted proposals are limited in bytes; the first, and empty ones, always fit; a new term starts at
  /// nothing.
  @Test
  void proposalsAreRefusedOverTheUncommittedLimit() {
    Solo solo = leader(new Limits(NO_LIMIT, NO_LIMIT, 8, 99, 0));
    assertThat(solo.node.propose(Bytes.utf8("longer than the limit")))
        .as("the first always fits")
        .isEqualTo(StepResult.OK);
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.PROPOSAL_DROPPED);
    assertThat(solo.node.propose(Bytes.EMPTY)).as("costs nothing").isEqualTo(StepResult.OK);
    solo.settle().acknowledge(2, 3);
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.OK);
  }

  /// etcd raft: uncommitted proposals are limited in bytes; the first, and empty ones, always fit; a new term starts at
  /// nothing.
  @Test
  void aNewTermOwesNothingOfTheOld() {
    Solo solo = leader(new Limits(NO_LIMIT, NO_LIMIT, 8, 99, 0));
    solo.propose("longer than the limit");
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.PROPOSAL_DROPPED);
    solo.take(new Heartbeat(1, 2, 2, 1, Bytes.EMPTY)).lead();
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.OK);
  }

  /// etcd raft: entries handed out and not yet applied are limited in bytes.
  @Test
  void committedEntriesAreHandedOutWithinTheLimitUntilApplied() {
    Solo solo = Solo.among(1, Solo.limits(new Limits(NO_LIMIT, 10, NO_LIMIT, 99, 0))).leadAndCommit();
    solo.applied.clear();
    solo.node.propose(List.of(Bytes.utf8("aaaa"), Bytes.utf8("bbbb"), Bytes.utf8("cccc")));
    Ready first = solo.node.ready();
    solo.log.append(first.entries());
    solo.node.advance();
    Ready second = solo.node.ready();
    assertThat(second.committedEntries()).as("ten bytes each: one at a time").hasSize(1);
    assertThat(solo.node.hasReady()).isFalse();
    solo.node.advance();
    assertThat(solo.node.hasReady()).isTrue();
    solo.settle();
    assertThat(solo.applied).hasSize(2);
  }

  /// Raft paper §8: a follower passes proposals on to its leader (the paper: it names the leader), unless told not to.
  @Test
  void aFollowerForwardsProposals() {
    Solo solo = Solo.among(3).take(new Append(1, 2, 1, 0, 0, List.of(), 0));
    solo.takeSent();
    assertThat(solo.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.OK);
    assertThat(solo.settle().takeSent())
        .containsExactly(new Message.Propose(2, 1, List.of(Entry.normal(0, 0, Bytes.utf8("x")))));
  }

  /// etcd raft: where nobody leads, or there is no chance, a proposal is refused at once.
  @Test
  void proposalsThatHaveNoChanceAreRefused() {
    assertThat(Solo.among(3).node.propose(Bytes.utf8("x"))).as("no leader").isEqualTo(StepResult.PROPOSAL_DROPPED);
    Solo candidate = Solo.among(3);
    candidate.node.campaign();
    assertThat(candidate.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.PROPOSAL_DROPPED);
    Solo unforwarding = Solo.among(3, Solo.rules(r -> r.withDisableProposalForwarding(true)));
    unforwarding.take(new Append(1, 2, 1, 0, 0, List.of(), 0));
    assertThat(unforwarding.node.propose(Bytes.utf8("x"))).isEqualTo(StepResult.PROPOSAL_DROPPED);
    assertThat(StepResult.PROPOSAL_DROPPED.text()).isEqualTo("raft proposal dropped");
  }
}
