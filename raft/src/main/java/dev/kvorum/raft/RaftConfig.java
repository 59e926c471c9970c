package dev.kvorum.raft;

import dev.kvorum.env.Invariant;
import java.util.random.RandomGenerator;

/// All that a node is told at birth; checked once, here.
///
/// @param id this node's id, not 0
/// @param electionTicks ticks without word from a leader after which a follower campaigns, at the earliest (it draws
///     from `[electionTicks, 2·electionTicks)`); more than `heartbeatTicks`, ten times as many being usual
/// @param heartbeatTicks ticks between a leader's heartbeats, at least 1
/// @param storage the stable log; raft reads it, the application writes it
/// @param applied the last index the application has applied, 0 to be handed everything after the snapshot again
/// @param random draws election timeouts; give each node its own
public record RaftConfig(
    long id,
    int electionTicks,
    int heartbeatTicks,
    LogStorage storage,
    long applied,
    Limits limits,
    Rules rules,
    RandomGenerator random,
    RaftLog log) {
  /// A limit that never bites.
  public static final long UNLIMITED = Long.MAX_VALUE;

  public RaftConfig {
    Invariant.check(id != 0 && id != Message.APPEND_THREAD && id != Message.APPLY_THREAD, "not a node id");
    Invariant.check(heartbeatTicks > 0, "heartbeat ticks must be greater than 0");
    Invariant.check(electionTicks > heartbeatTicks, "election ticks must be greater than heartbeat ticks");
    Invariant.check(
        rules.readOnlyOption != ReadOnlyOption.LEASE_BASED || rules.checkQuorum,
        "CheckQuorum must be enabled when reads are lease based");
  }

  /// A node with etcd's limits and rules that logs nothing.
  public static RaftConfig of(
      long id, int electionTicks, int heartbeatTicks, LogStorage storage, RandomGenerator random) {
    return new RaftConfig(
        id, electionTicks, heartbeatTicks, storage, 0, Limits.ETCD, Rules.ETCD, random, RaftLog.SILENT);
  }

  public RaftConfig withApplied(long index) {
    return new RaftConfig(id, electionTicks, heartbeatTicks, storage, index, limits, rules, random, log);
  }

  public RaftConfig withLimits(Limits other) {
    return new RaftConfig(id, electionTicks, heartbeatTicks, storage, applied, other, rules, random, log);
  }

  public RaftConfig withRules(Rules other) {
    return new RaftConfig(id, electionTicks, heartbeatTicks, storage, applied, limits, other, random, log);
  }

  public RaftConfig withLog(RaftLog other) {
    return new RaftConfig(id, electionTicks, heartbeatTicks, storage, applied, limits, rules, random, other);
  }

  /// How much of anything may be on its way at once. "Entry bytes" are encoded sizes ([EntrySize#encoded]).
  ///
  /// @param bytesPerMessageMax entry bytes in one append message; 0 means one entry each
  /// @param committedBytesPerReadyMax entry bytes handed out for application and not yet reported applied; above 0
  /// @param uncommittedEntriesBytesMax payload bytes a leader holds uncommitted before it refuses proposals; above 0
  /// @param inflightMessagesMax unacknowledged append messages to one follower, at least 1
  /// @param inflightBytesMax payload bytes in them; 0 for no limit, else at least `bytesPerMessageMax`
  public record Limits(
      long bytesPerMessageMax,
      long committedBytesPerReadyMax,
      long uncommittedEntriesBytesMax,
      int inflightMessagesMax,
      long inflightBytesMax) {
    /// What etcd's server runs with: messages of 1 MiB, 512 in flight.
    public static final Limits ETCD = new Limits(1 << 20, 1 << 20, UNLIMITED, 512, 0);

    public Limits {
      Invariant.check(bytesPerMessageMax >= 0, "message bytes must not be negative");
      Invariant.check(committedBytesPerReadyMax > 0, "committed bytes per ready must be greater than 0");
      Invariant.check(uncommittedEntriesBytesMax > 0, "uncommitted entry bytes must be greater than 0");
      Invariant.check(inflightMessagesMax > 0, "inflight messages must be greater than 0");
      Invariant.check(
          inflightBytesMax == 0 || inflightBytesMax >= bytesPerMessageMax,
          "inflight bytes must not be less than message bytes");
    }
  }

  /// Which of raft's optional rules are in force.
  ///
  /// @param checkQuorum a leader that hears from no quorum for an election timeout steps down, and a follower that
  ///     hears from a leader ignores candidates (Raft thesis §6.2, §4.2.3)
  /// @param preVote campaigns are rehearsed without raising the term (§9.6)
  /// @param asyncStorageWrites storage work leaves as [Message.StorageAppend] and [Message.StorageApply], and
  ///     [RawNode#advance] is not called (§10.2.1)
  /// @param disableProposalForwarding followers refuse proposals instead of sending them to the leader
  /// @param disableConfChangeValidation conf changes enter the log unchecked; the proposer then answers for them
  /// @param stepDownOnRemoval a leader that applies its own removal or demotion stops leading at once
  public record Rules(
      boolean checkQuorum,
      boolean preVote,
      ReadOnlyOption readOnlyOption,
      boolean asyncStorageWrites,
      boolean disableProposalForwarding,
      boolean disableConfChangeValidation,
      boolean stepDownOnRemoval) {
    /// What etcd's server runs with.
    public static final Rules ETCD = new Rules(true, true, ReadOnlyOption.SAFE, false, false, false, false);

    /// Plain Raft, nothing optional: the raft library's defaults.
    public static final Rules PLAIN = new Rules(false, false, ReadOnlyOption.SAFE, false, false, false, false);

    public Rules withCheckQuorum(boolean on) {
      return new Rules(
          on,
          preVote,
          readOnlyOption,
          asyncStorageWrites,
          disableProposalForwarding,
          disableConfChangeValidation,
          stepDownOnRemoval);
    }

    public Rules withPreVote(boolean on) {
      return new Rules(
          checkQuorum,
          on,
          readOnlyOption,
          asyncStorageWrites,
          disableProposalForwarding,
          disableConfChangeValidation,
          stepDownOnRemoval);
    }

    public Rules withReadOnlyOption(ReadOnlyOption option) {
      return new Rules(
          checkQuorum,
          preVote,
          option,
          asyncStorageWrites,
          disableProposalForwarding,
          disableConfChangeValidation,
          stepDownOnRemoval);
    }

    public Rules withAsyncStorageWrites(boolean on) {
      return new Rules(
          checkQuorum,
          preVote,
          readOnlyOption,
          on,
          disableProposalForwarding,
          disableConfChangeValidation,
          stepDownOnRemoval);
    }

    public Rules withDisableProposalForwarding(boolean on) {
      return new Rules(
          checkQuorum,
          preVote,
          readOnlyOption,
          asyncStorageWrites,
          on,
          disableConfChangeValidation,
          stepDownOnRemoval);
    }

    public Rules withDisableConfChangeValidation(boolean on) {
      return new Rules(
          checkQuorum, preVote, readOnlyOption, asyncStorageWrites, disableProposalForwarding, on, stepDownOnRemoval);
    }

    public Rules withStepDownOnRemoval(boolean on) {
      return new Rules(
          checkQuorum,
          preVote,
          readOnlyOption,
          asyncStorageWrites,
          disableProposalForwarding,
          disableConfChangeValidation,
          on);
    }
  }
}
