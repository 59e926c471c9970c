package dev.kvorum.raft;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.env.InvariantViolation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
  private final Raft raft;
  private final boolean async;
  private SoftState previousSoftState;
  private HardState previousHardState;
  private final ArrayList<Message> stepsOnAdvance = new ArrayList<>();
  private boolean advancePending;

  /// A node that goes on from what `config.storage()` holds.
  ///
  /// @throws InvariantViolation when storage contradicts itself or the configuration
  public RawNode(RaftConfig config) {
    raft = new Raft(config);
    async = config.rules().asyncStorageWrites();
    previousSoftState = raft.softState();
    previousHardState = raft.hardState();
  }

  /// Founds a new cluster on empty storage with these members, in this order, which all founders must share.
  ///
  /// @throws IllegalStateException when storage is not empty
  /// @throws IllegalArgumentException without peers
  public void bootstrap(List<Peer> peers) {
    if (peers.isEmpty()) {
      throw new IllegalArgumentException("must provide at least one peer to Bootstrap");
    }
    if (raft.config.storage().lastIndex() != 0) {
      throw new IllegalStateException("can't bootstrap a nonempty Storage");
    }
    // Whatever the hard state is now, it has not been handed out.
    previousHardState = HardState.EMPTY;
    raft.becomeFollower(1, 0);
    Entry[] entries = new Entry[peers.size()];
    for (int i = 0; i < entries.length; i++) {
      Bytes data = ConfChangeCodec.encode(addition(peers.get(i)));
      entries[i] = new Entry(EntryType.CONF_CHANGE, 1, i + 1, data);
    }
    raft.log.append(Entries.wrap(entries));
    raft.log.commitTo(entries.length);
    // In force at once, so that campaigning need not wait for the application; applying them again changes nothing.
    for (Peer peer : peers) {
      raft.reconfiguration.apply(addition(peer));
    }
  }

  /// One unit of time passed.
  public void tick() {
    raft.tick();
  }

  /// Starts an election now.
  public void campaign() {
    raft.elections.onHup();
  }

  public StepResult propose(Bytes data) {
    return propose(List.of(data));
  }

  /// Proposes each as one normal entry, all or none, in one append message per follower.
  public StepResult propose(List<Bytes> data) {
    return raft.proposals.propose(data);
  }

  public StepResult proposeConfChange(ConfChange change) {
    return raft.proposals.onPropose(Reconfiguration.proposal(change));
  }

  /// Puts a committed conf change in force: call it for each conf change entry applied, even a refused one (with node
  /// id 0 then). Where application runs beside raft, name the entry's index instead ([#applyConfChange(long,
  /// ConfChange)]).
  ///
  /// @return the configuration now in force, for snapshots
  public ConfState applyConfChange(ConfChange change) {
    return raft.reconfiguration.apply(change);
  }

  /// As [#applyConfChange(ConfChange)], for entry `index`: nothing happens if a received snapshot that covers `index`
  /// has been taken in since the entry was handed out.
  public ConfState applyConfChange(long index, ConfChange change) {
    return raft.reconfiguration.apply(index, change);
  }

  /// Takes a message from another member or from this node's own storage threads.
  public StepResult step(Message message) {
    MessageType type = message.type();
    boolean fromStorage = message.from() == Message.APPEND_THREAD || message.from() == Message.APPLY_THREAD;
    if (!fromStorage) {
      if (type.isLocal()) {
        return StepResult.LOCAL_MESSAGE;
      }
      if (type.isResponse() && raft.tracker.find(message.from()) == null) {
        return StepResult.PEER_NOT_FOUND;
      }
    }
    return raft.step(message);
  }

  /// Asks for a linearizable read; the answer comes as a [ReadState] with the same context, or never (no leader, or a
  /// leader lost): ask again.
  public StepResult readIndex(Bytes context) {
    return raft.step(new Message.ReadIndex(0, 0, context));
  }

  /// Hands leadership to `transferee`, if it catches up within an election timeout.
  public StepResult transferLeader(long transferee) {
    return raft.step(new Message.TransferLeader(0, transferee, 0));
  }

  /// Sending to `id` failed.
  public void reportUnreachable(long id) {
    raft.step(new Message.Unreachable(raft.id, id));
  }

  /// Sending a snapshot to `id` ended.
  public void reportSnapshot(long id, boolean failed) {
    raft.step(new Message.SnapshotStatus(raft.id, id, failed));
  }

  /// A follower forgets its leader without waiting for the election timeout, so that it may grant a pre-vote.
  public void forgetLeader() {
    raft.following.onForgetLeader();
  }

  public boolean hasReady() {
    return raft.hasOutput()
        || raft.log.unstable().hasNextEntries()
        || raft.log.hasNextCommitted(!async)
        || !raft.log.unstable().nextSnapshot().isEmpty()
        || !isPreviousSoftState()
        || hasNewHardState();
  }

  /// What must be done now. What it hands out is not handed out again.
  public Ready ready() {
    Invariant.check(!advancePending, "two accepted Ready structs without call to Advance");
    SoftState softState = isPreviousSoftState() ? null : raft.softState();
    HardState hardState = hasNewHardState() ? raft.hardState() : HardState.EMPTY;
    List<Entry> entries = raft.log.unstable().nextEntries();
    Snapshot snapshot = raft.log.unstable().nextSnapshot();
    List<Entry> committed = raft.log.nextCommitted(!async);
    boolean mustSync =
        !entries.isEmpty() || raft.term() != previousHardState.term() || raft.vote() != previousHardState.vote();

    ArrayList<Message> afterAppend = raft.messagesAfterAppend();
    boolean storageWork =
        !entries.isEmpty() || !hardState.isEmpty() || !snapshot.isEmpty() || !afterAppend.isEmpty();
    Message appended = appendResponse(snapshot);
    ArrayList<Message> messages = raft.messages();
    if (async) {
      if (storageWork) {
        messages.add(storageAppend(entries, hardState, snapshot, afterAppend, appended));
      }
      if (!committed.isEmpty()) {
        messages.add(storageApply(committed));
      }
    } else {
      advancePending = true;
      sortOut(afterAppend, messages, stepsOnAdvance);
      if (appended != null) {
        stepsOnAdvance.add(appended);
      }
      if (!committed.isEmpty()) {
        stepsOnAdvance.add(new Message.StorageApplyResponse(raft.id, Message.APPLY_THREAD, committed));
      }
    }
    Ready ready =
        new Ready(
            softState, hardState, raft.takeReadStates(), entries, snapshot, committed, messages, mustSync);
    messages.clear();
    afterAppend.clear();
    accept(ready);
    return ready;
  }

  /// The last Ready was carried out. Not with asynchronous storage writes.
  public void advance() {
    Invariant.check(!async, "Advance must not be called when using AsyncStorageWrites");
    advancePending = false;
    for (int i = 0; i < stepsOnAdvance.size(); i++) {
      raft.step(stepsOnAdvance.get(i));
    }
    stepsOnAdvance.clear();
  }

  public long id() {
    return raft.id;
  }

  public long term() {
    return raft.term();
  }

  /// The leader this node knows of, 0 when none.
  public long lead() {
    return raft.lead();
  }

  public RaftState state() {
    return raft.state();
  }

  public boolean isLeader() {
    return raft.isLeader();
  }

  public SoftState softState() {
    return raft.softState();
  }

  public HardState hardState() {
    return raft.hardState();
  }

  /// The last index known to be committed.
  public long committed() {
    return raft.log.committed();
  }

  /// The last index reported applied.
  public long applied() {
    return raft.log.applied();
  }

  /// The last index of the log, saved or not.
  public long lastIndex() {
    return raft.log.lastIndex();
  }

  /// The configuration in force.
  public ConfState confState() {
    return raft.tracker.configuration().confState();
  }

  /// Whether this node leads a group in which it alone votes: it commits by itself.
  public boolean isSingletonLeader() {
    return raft.isLeader() && raft.isLoneVoter();
  }

  /// Allocates; for status pages and metrics, not for each request.
  public Status status() {
    return new Status(
        raft.id,
        raft.hardState(),
        raft.softState(),
        raft.log.applied(),
        raft.transfers.transferee(),
        raft.tracker.configuration(),
        raft.isLeader() ? Collections.unmodifiableSortedMap(raft.tracker.views()) : Collections.emptySortedMap());
  }

  private static ConfChange addition(Peer peer) {
    return new ConfChange.V1(0, ConfChange.Type.ADD_NODE, peer.id(), peer.context());
  }

  private boolean isPreviousSoftState() {
    return previousSoftState.lead() == raft.lead() && previousSoftState.state() == raft.state();
  }

  private boolean hasNewHardState() {
    return previousHardState.commit() != raft.log.committed()
        || previousHardState.term() != raft.term()
        || previousHardState.vote() != raft.vote();
  }

  /// What storage answers once this Ready is saved; null when there is nothing whose saving matters to the log.
  ///
  /// It names the log's last entry even if an earlier Ready handed that out: this Ready's storage work is done after
  /// the earlier one's. The term is ours now, so that an answer that arrives in a later term is known to be old.
  private @Nullable Message appendResponse(Snapshot snapshot) {
    boolean hasEntries = raft.log.unstable().hasEntries();
    if (!hasEntries && snapshot.isEmpty()) {
      return null;
    }
    return new Message.StorageAppendResponse(
        raft.id,
        Message.APPEND_THREAD,
        raft.term(),
        hasEntries ? raft.log.lastTerm() : 0,
        hasEntries ? raft.log.lastIndex() : 0,
        snapshot);
  }

  private Message storageAppend(
      List<Entry> entries,
      HardState hardState,
      Snapshot snapshot,
      List<Message> afterAppend,
      @Nullable Message appended) {
    if (appended != null) {
      afterAppend.add(appended);
    }
    return new Message.StorageAppend(Message.APPEND_THREAD, raft.id, entries, hardState, snapshot, afterAppend);
  }

  private Message storageApply(List<Entry> committed) {
    return new Message.StorageApply(
        Message.APPLY_THREAD,
        raft.id,
        committed,
        List.of(new Message.StorageApplyResponse(raft.id, Message.APPLY_THREAD, committed)));
  }

  private void sortOut(List<Message> afterAppend, List<Message> toOthers, List<Message> toSelf) {
    for (int i = 0; i < afterAppend.size(); i++) {
      Message message = afterAppend.get(i);
      (message.to() == raft.id ? toSelf : toOthers).add(message);
    }
  }

  private void accept(Ready ready) {
    if (ready.softState() != null) {
      previousSoftState = ready.softState();
    }
    if (!ready.hardState().isEmpty()) {
      previousHardState = ready.hardState();
    }
    raft.log.unstable().acceptInProgress();
    List<Entry> committed = ready.committedEntries();
    if (!committed.isEmpty()) {
      raft.log.acceptApplying(
          committed.get(committed.size() - 1).index(), EntrySize.encoded(committed), !async);
    }
  }

  /// For judges: the term at `index` of the whole log, -1 where it is not known.
  long term(long index) {
    return raft.log.term(index);
  }

  /// For scripts: makes the current election timeout this many ticks.
  void forceElectionTimeout(int ticks) {
    raft.forceElectionTimeout(ticks);
  }
}
