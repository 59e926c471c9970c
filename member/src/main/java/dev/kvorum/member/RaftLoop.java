package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.env.Loop;
import dev.kvorum.env.World;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.MemoryLog;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.RaftState;
import dev.kvorum.raft.RawNode;
import dev.kvorum.raft.ReadState;
import dev.kvorum.raft.Ready;
import dev.kvorum.raft.SoftState;
import dev.kvorum.raft.StepResult;
import java.util.ArrayList;
import java.util.List;

/// Owns the raft node and nothing else.
///
/// A turn drains all waiting proposals and messages, then makes Ready after Ready: batches form by themselves under
/// load, and a lone request never waits. Storage is asynchronous (Raft thesis §10.2.1): appends go to [LogLoop],
/// committed entries to [ApplyLoop], and what they answer comes back through the inbox.
final class RaftLoop {
  /// Proposals that may wait for a turn; more get `too many requests`.
  private static final int INBOX_MAX = 16_384;

  private final World world;
  private final MemberConfig config;
  private final RawNode node;
  private final MemoryLog log;
  private final LogLoop logLoop;
  private final ApplyLoop applyLoop;
  private final RaftObserver observer;
  private final Waiters waiters;
  private final ReadIndex readIndex;
  private final Loop loop;
  private List<ProposedEntry> proposed = new ArrayList<>();
  private boolean soleVoter;
  private volatile boolean stopping;

  private volatile RaftStatus status;

  /// An entry on its way into the log.
  private record ProposedEntry(Bytes data, long id) {}

  RaftLoop(
      World world,
      MemberConfig config,
      RawNode node,
      MemoryLog log,
      LogLoop logLoop,
      ApplyLoop applyLoop,
      RaftObserver observer,
      RequestIds ids,
      Waiters waiters,
      Halt halt) {
    this.world = world;
    this.config = config;
    this.node = node;
    this.log = log;
    this.logLoop = logLoop;
    this.applyLoop = applyLoop;
    this.observer = observer;
    this.waiters = waiters;
    voters(node.confState());
    this.status = RaftStatus.of(node, soleVoter);
    this.loop =
        world.loops().loop("raft", INBOX_MAX, this::afterBatch, failure -> halt.because("raft loop", failure));
    this.readIndex = new ReadIndex(world.clock(), config, this, applyLoop, ids);
  }

  void start() {
    logLoop.start(done -> loop.execute(() -> persisted(done)));
    loop.execute(this::scheduleTick);
  }

  /// What everyone may know of raft, as of the last Ready. Any thread.
  RaftStatus status() {
    return status;
  }

  ReadIndex readIndex() {
    return readIndex;
  }

  Loop loop() {
    return loop;
  }

  /// Proposes `data` as a normal entry. Any thread.
  ///
  /// @param id what its waiter is parked under; refused from here if the entry is not taken
  void propose(Bytes data, long id) {
    boolean taken = loop.offer(() -> gather(new ProposedEntry(data, id)));
    if (!taken) {
      refuse(id, refusal());
    }
  }

  private void gather(ProposedEntry entry) {
    if (proposed.size() < INBOX_MAX) {
      proposed.add(entry);
    } else {
      refuse(entry.id(), EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
    }
  }

  /// Why this loop takes nothing in. Any thread.
  EtcdException refusal() {
    return EtcdException.of(stopping ? EtcdError.STOPPED : EtcdError.TOO_MANY_REQUESTS);
  }

  private void refuse(long id, EtcdException why) {
    Waiter waiter = waiters.take(id);
    if (waiter != null) {
      waiter.refused(why);
    }
  }

  /// A conf change that [ApplyLoop] has applied (or, with node id 0, refused). Before the applied index moves on.
  ///
  /// @param index of its entry; raft passes over what a snapshot has overtaken
  void applyConfChange(long index, ConfChange change) {
    loop.execute(() -> voters(node.applyConfChange(index, change)));
  }

  private void voters(ConfState conf) {
    soleVoter = conf.votersOutgoing().isEmpty() && conf.voters().equals(List.of(node.id()));
  }

  /// The answers of a [Message.StorageApply], once all its entries are applied.
  void applied(List<Message> responses) {
    loop.execute(() -> stepOwn(responses));
  }

  /// Drops log entries up to `index` from memory; they are behind a snapshot.
  void compactLog(long index) {
    loop.execute(
        () -> {
          if (index >= log.firstIndex()) {
            log.compact(index);
          }
        });
  }

  private void persisted(List<Message.StorageAppend> done) {
    for (Message.StorageAppend append : done) {
      Invariant.check(append.snapshot().isEmpty(), "a snapshot came from a leader, and this member has no peers");
      if (!append.entries().isEmpty()) {
        log.append(append.entries());
      }
      if (!append.hardState().isEmpty()) {
        log.setHardState(append.hardState());
      }
      stepOwn(append.responses());
    }
  }

  private void stepOwn(List<Message> responses) {
    for (Message response : responses) {
      Invariant.check(response.to() == node.id(), () -> "a message for a peer this member does not have: " + response);
      node.step(response);
    }
  }

  private void scheduleTick() {
    loop.schedule(
        config.tickNanos(),
        () -> {
          node.tick();
          readIndex.tick();
          waiters.refuseLate();
          proposed.removeIf(entry -> !waiters.isParked(entry.id())); // nobody waits for it, and no leader took it
          scheduleTick();
        });
  }

  private void afterBatch() {
    proposeAll();
    if (soleVoter && node.state() == RaftState.FOLLOWER && node.applied() == node.committed()) {
      node.campaign(); // alone there is nobody to wait for
    }
    readIndex.begin();
    while (node.hasReady()) {
      handle(node.ready());
    }
  }

  private void proposeAll() {
    if (proposed.isEmpty() || node.lead() == 0) {
      return; // without a leader they wait, until their time is up
    }
    List<ProposedEntry> batch = proposed;
    proposed = new ArrayList<>();
    List<Bytes> data = new ArrayList<>(batch.size());
    for (ProposedEntry entry : batch) {
      data.add(entry.data());
    }
    StepResult result = node.propose(data);
    if (!result.isOk()) {
      EtcdException why = EtcdException.of(GrpcCode.UNKNOWN, result.text());
      for (ProposedEntry entry : batch) {
        refuse(entry.id(), why);
      }
    }
  }

  private void handle(Ready ready) {
    publish(ready.softState());
    for (ReadState state : ready.readStates()) {
      readIndex.confirmed(state);
    }
    for (Message message : ready.messages()) {
      switch (message) {
        case Message.StorageAppend append -> logLoop.append(append);
        case Message.StorageApply apply -> applyLoop.apply(apply, this);
        default -> throw Invariant.unreachable("a message for a peer this member does not have: " + message);
      }
    }
  }

  /// Before anything of this Ready leaves: whoever sees an effect of a commit must also see the commit index.
  private void publish(SoftState soft) {
    RaftStatus before = status;
    RaftStatus now = RaftStatus.of(node, soleVoter);
    status = now;
    if (now.lead() != before.lead()) {
      observer.leaderChanged(before.lead(), now.lead(), now.term());
      readIndex.leaderChanged();
    }
    if (now.leader() != before.leader()) {
      applyLoop.leadershipChanged(now.leader(), node.lastIndex()); // the last index is the leader's own empty entry
    }
  }

  /// Asks raft to confirm a read round. On this loop.
  void requestReadIndex(Bytes context) {
    node.readIndex(context);
  }

  void stop() {
    stopping = true;
    loop.execute(readIndex::stop);
    loop.stop();
  }

  boolean awaitStopped(long timeoutNanos) throws InterruptedException {
    return loop.awaitStopped(timeoutNanos);
  }
}
