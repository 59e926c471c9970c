package dev.kvorum.raft;

import dev.kvorum.env.Bytes;
import java.util.List;

/// One member of a consensus group, as a pure state machine. It has no thread, clock, disk or network: whoever owns it
/// feeds it ticks, messages and proposals, and carries out what [#ready] says. All calls come from one loop.
///
/// ```
/// node.step(message); node.tick(); node.propose(data);
/// while (node.hasReady()) {
///   Ready ready = node.ready();
///   // save, send, apply: see Ready
///   node.advance();
/// }
/// ```
///
/// Sources: Raft paper, Raft thesis, and etcd raft 3.7 where those leave a choice.
public final class RawNode {
  public RawNode(RaftConfig config) {
    throw new UnsupportedOperationException("PUBLISHED SIGNATURES ONLY: the core arrives within the hour");
  }

  /// Founds a new cluster on empty storage with these members, in this order, which all founders must share.
  ///
  /// @throws IllegalStateException when storage is not empty
  /// @throws IllegalArgumentException without peers
  public void bootstrap(List<Peer> peers) {
    throw new UnsupportedOperationException();
  }

  /// One unit of time passed.
  public void tick() {
    throw new UnsupportedOperationException();
  }

  /// Starts an election now.
  public void campaign() {
    throw new UnsupportedOperationException();
  }

  public StepResult propose(Bytes data) {
    return propose(List.of(data));
  }

  /// Proposes each as one normal entry, all or none, in one append message per follower.
  public StepResult propose(List<Bytes> data) {
    throw new UnsupportedOperationException();
  }

  public StepResult proposeConfChange(ConfChange change) {
    throw new UnsupportedOperationException();
  }

  /// Puts a committed conf change in force: call it for each conf change entry applied, even a refused one (with node
  /// id 0 then). @return the configuration now in force, for snapshots
  public ConfState applyConfChange(ConfChange change) {
    throw new UnsupportedOperationException();
  }

  /// Takes a message from another member or from this node's own storage threads.
  public StepResult step(Message message) {
    throw new UnsupportedOperationException();
  }

  /// Asks for a linearizable read; the answer comes as a [ReadState] with the same context, or never (no leader, or a
  /// leader lost): ask again.
  public StepResult readIndex(Bytes context) {
    throw new UnsupportedOperationException();
  }

  /// Hands leadership to `transferee`, if it catches up within an election timeout.
  public StepResult transferLeader(long transferee) {
    throw new UnsupportedOperationException();
  }

  /// Sending to `id` failed.
  public void reportUnreachable(long id) {
    throw new UnsupportedOperationException();
  }

  /// Sending a snapshot to `id` ended.
  public void reportSnapshot(long id, boolean failed) {
    throw new UnsupportedOperationException();
  }

  /// A follower forgets its leader without waiting for the election timeout, so that it may grant a pre-vote.
  public void forgetLeader() {
    throw new UnsupportedOperationException();
  }

  public boolean hasReady() {
    throw new UnsupportedOperationException();
  }

  /// What must be done now. What it hands out is not handed out again.
  public Ready ready() {
    throw new UnsupportedOperationException();
  }

  /// The last Ready was carried out. Not with asynchronous storage writes.
  public void advance() {
    throw new UnsupportedOperationException();
  }

  public long id() {
    throw new UnsupportedOperationException();
  }

  public long term() {
    throw new UnsupportedOperationException();
  }

  /// The leader this node knows of, 0 when none.
  public long lead() {
    throw new UnsupportedOperationException();
  }

  public RaftState state() {
    throw new UnsupportedOperationException();
  }

  public boolean isLeader() {
    throw new UnsupportedOperationException();
  }

  public SoftState softState() {
    throw new UnsupportedOperationException();
  }

  public HardState hardState() {
    throw new UnsupportedOperationException();
  }

  /// The last index known to be committed.
  public long committed() {
    throw new UnsupportedOperationException();
  }

  /// The last index reported applied.
  public long applied() {
    throw new UnsupportedOperationException();
  }

  /// The last index of the log, saved or not.
  public long lastIndex() {
    throw new UnsupportedOperationException();
  }

  /// The configuration in force.
  public ConfState confState() {
    throw new UnsupportedOperationException();
  }

  /// Whether this node leads a group in which it alone votes: it commits by itself.
  public boolean isSingletonLeader() {
    throw new UnsupportedOperationException();
  }

  /// Allocates; for status pages and metrics, not for each request.
  public Status status() {
    throw new UnsupportedOperationException();
  }
}
