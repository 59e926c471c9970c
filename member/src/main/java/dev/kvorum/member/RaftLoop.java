package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.Invariant;
import dev.kvorum.env.Loop;
import dev.kvorum.env.World;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.MemoryLog;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.RaftState;
import dev.kvorum.raft.RawNode;
import dev.kvorum.raft.ReadState;
import dev.kvorum.raft.Ready;
import dev.kvorum.raft.SoftState;
import dev.kvorum.raft.Status;
import dev.kvorum.raft.StepResult;
import dev.kvorum.state.membership.MemberIds;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Owns the raft node and nothing else.
///
/// A turn drains all waiting proposals and messages, then makes Ready after Ready: batches form by themselves under
/// load, and a lone request never waits. Storage is asynchronous (Raft thesis §10.2.1): appends go to [LogLoop],
/// committed entries to [ApplyLoop], and what they answer comes back through the inbox.
final class RaftLoop {
  private static final Logger LOG = LoggerFactory.getLogger(RaftLoop.class);

  /// Messages of others that may wait for a turn.
  private static final int RECEIVED_MAX = 8_192;

  /// How long, and how often, a starting member looks whether others are in reach.
  private static final int ADVANCE_TRIES = 100;

  private static final long ADVANCE_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  /// Proposals that may wait for a turn; more get `too many requests`.
  private static final int INBOX_MAX = 16_384;

  private final World world;
  private final MemberConfig config;
  private final RawNode node;
  private final MemoryLog log;
  private final LogLoop logLoop;
  private final ApplyLoop applyLoop;
  private final PeerLinks links;
  private final Member.Observer observer;
  private final Waiters waiters;
  private final ReadIndex readIndex;
  private final Loop loop;
  private final Queue<Long> appending = new ArrayDeque<>(); // since when, for each append that is not durable yet
  private List<ProposedEntry> proposed = new ArrayList<>();
  private SnapshotSender snapshots = message -> {};
  private boolean resigning;
  private boolean hadLeader;
  private long leaderSinceNanos;
  private boolean soleVoter;
  private final AtomicInteger received = new AtomicInteger();
  private volatile boolean started;
  private volatile boolean stopping;

  private volatile RaftStatus status;

  /// Sends the state as it is by then to a member that needs more than the log still has.
  @FunctionalInterface
  interface SnapshotSender {
    void send(Message.InstallSnapshot message);
  }

  /// An entry on its way into the log.
  private record ProposedEntry(Bytes data, long id) {}

  RaftLoop(
      World world,
      MemberConfig config,
      RawNode node,
      MemoryLog log,
      LogLoop logLoop,
      ApplyLoop applyLoop,
      PeerLinks links,
      Member.Observer observer,
      RequestIds ids,
      Waiters waiters,
      Halt halt) {
    this.world = world;
    this.config = config;
    this.node = node;
    this.log = log;
    this.logLoop = logLoop;
    this.applyLoop = applyLoop;
    this.links = links;
    this.observer = observer;
    this.waiters = waiters;
    configured(node.confState());
    this.status = RaftStatus.of(node, soleVoter);
    this.loop =
        world.loops().loop("raft", INBOX_MAX, this::afterBatch, failure -> halt.because("raft loop", failure));
    this.readIndex = new ReadIndex(world.clock(), config, this, applyLoop, ids);
  }

  void start(SnapshotSender snapshotSender) {
    logLoop.start(done -> loop.execute(() -> persisted(done))); // before this loop's first turn gives it work
    loop.execute(
        () -> {
          snapshots = snapshotSender;
          scheduleTick();
          if (config.initialElectionTickAdvance() && !soleVoter) {
            advanceOnceConnected(ADVANCE_TRIES);
          }
        });
    started = true;
  }

  /// A member that starts among others need not wait a whole election timeout to notice that nobody leads; but it must
  /// have had the time to hear of a leader.
  private void advanceOnceConnected(int tries) {
    loop.schedule(
        ADVANCE_EVERY_NANOS,
        () -> {
          ConfState conf = node.confState();
          long active =
              Stream.concat(conf.voters().stream(), conf.learners().stream())
                  .filter(id -> id != node.id() && links.activeSinceNanos(id) != PeerLinks.INACTIVE)
                  .count();
          if (active > 1) {
            for (int i = 0; i < config.electionTicks() - 2; i++) {
              node.tick();
            }
          } else if (tries > 1) {
            advanceOnceConnected(tries - 1);
          }
        });
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
    loop.execute(() -> configured(node.applyConfChange(index, change)));
  }

  private void configured(ConfState conf) {
    soleVoter = conf.votersOutgoing().isEmpty() && conf.voters().equals(List.of(node.id()));
    observer.configured(conf);
  }

  /// The answers of a [Message.StorageApply], once all its entries are applied.
  void applied(List<Message> responses) {
    loop.execute(() -> stepOwn(responses));
  }

  /// Drops log entries up to `index` from memory: who needs them is sent the state instead, which has come to `applied`.
  void compactLog(long index, long applied, ConfState confState) {
    loop.execute(
        () -> {
          if (index >= log.firstIndex() && applied > log.snapshot().index() && applied <= log.lastIndex()) {
            log.createSnapshot(applied, confState, Bytes.EMPTY);
            log.compact(index);
          }
        });
  }

  /// A message from another member. Any thread. It is lost when too many wait, or before [#start].
  ///
  /// Others' proposals queue with our own clients'; what keeps raft going must get in however many of those there are.
  void receive(Message message) {
    if (!started) {
      return;
    }
    if (message instanceof Message.Propose) {
      loop.offer(() -> node.step(message));
    } else if (received.incrementAndGet() <= RECEIVED_MAX) {
      loop.execute(
          () -> {
            received.decrementAndGet();
            node.step(message);
          });
    } else {
      received.decrementAndGet();
    }
  }

  /// Messages for `member` were lost. Any thread.
  void unreachable(long member) {
    loop.execute(() -> node.reportUnreachable(member));
  }

  /// How sending a snapshot to `member` ended. Any thread.
  void snapshotSent(long member, boolean success) {
    loop.execute(() -> node.reportSnapshot(member, !success));
  }

  /// Proposes a change of the configuration. Any thread.
  ///
  /// @param id what its waiter is parked under; refused from here if the change is not taken
  void proposeConfChange(ConfChange change, long id) {
    boolean taken =
        loop.offer(
            () -> {
              StepResult result = node.proposeConfChange(change);
              if (!result.isOk()) {
                refuse(id, EtcdException.of(GrpcCode.UNKNOWN, result.text()));
              }
            });
    if (!taken) {
      refuse(id, refusal());
    }
  }

  /// Hands leadership to `heir`; `done` once it leads, or `refused`: this member does not lead, or it took too long. Any
  /// thread; answered on this loop.
  void transferLeader(long heir, Runnable done, Consumer<EtcdException> refused) {
    loop.execute(
        () -> {
          if (!node.isLeader()) {
            refused.accept(EtcdException.of(EtcdError.NOT_LEADER));
            return;
          }
          LOG.atInfo()
              .addKeyValue("local-member-id", MemberIds.toHex(node.id()))
              .addKeyValue("transferee-member-id", MemberIds.toHex(heir))
              .log("leadership transfer starting");
          node.transferLeader(heir);
          awaitLeader(heir, world.clock().nanos() + config.requestTimeoutNanos(), done, refused);
        });
  }

  private void awaitLeader(long heir, long deadlineNanos, Runnable done, Consumer<EtcdException> refused) {
    if (node.lead() == heir) {
      done.run();
    } else if (world.clock().nanos() - deadlineNanos >= 0) {
      refused.accept(EtcdException.of(EtcdError.TIMEOUT_LEADER_TRANSFER));
    } else {
      loop.schedule(config.tickNanos(), () -> awaitLeader(heir, deadlineNanos, done, refused));
    }
  }

  /// Hands leadership, if this member has it, to whoever it has been in touch with for longest; then runs `done`, whether
  /// or not that worked. Any thread; answered on this loop.
  void handOver(Runnable done) {
    loop.execute(
        () -> {
          long heir = node.isLeader() && !soleVoter ? longestActiveVoter() : 0;
          if (heir == 0) {
            done.run();
          } else {
            transferLeader(heir, done, why -> done.run());
          }
        });
  }

  /// The voter whom this member has reached without a break for longest, 0 when it reaches none. On this loop.
  private long longestActiveVoter() {
    long longest = 0;
    long since = PeerLinks.INACTIVE;
    for (long voter : node.confState().voters()) {
      long active = voter == node.id() ? PeerLinks.INACTIVE : links.activeSinceNanos(voter);
      if (active < since) {
        since = active;
        longest = voter;
      }
    }
    return longest;
  }

  /// What a leader knows of the others; asked for on this loop, and told there.
  void status(Consumer<Status> told) {
    loop.execute(() -> told.accept(node.status()));
  }

  private void persisted(List<Message.StorageAppend> done) {
    for (Message.StorageAppend append : done) {
      appending.poll();
      if (!append.snapshot().isEmpty()) {
        world.failpoints().reach(Failpoint.RAFT_BEFORE_APPLY_SNAP);
        log.applySnapshot(append.snapshot());
        world.failpoints().reach(Failpoint.RAFT_AFTER_APPLY_SNAP);
        configured(node.confState());
        applyLoop.install(append.snapshot());
      }
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
      if (response.to() == node.id()) {
        node.step(response);
      } else {
        send(response);
      }
    }
  }

  private void send(Message message) {
    Failpoints failpoints = world.failpoints();
    failpoints.reach(node.isLeader() ? Failpoint.RAFT_BEFORE_LEADER_SEND : Failpoint.RAFT_BEFORE_FOLLOWER_SEND);
    if (!(message instanceof Message.Heartbeat && failpoints.reach(Failpoint.RAFT_DROP_HEARTBEAT) != null)) {
      links.send(message);
    }
  }

  private void scheduleTick() {
    loop.schedule(
        config.tickNanos(),
        () -> {
          tick();
          readIndex.tick();
          waiters.refuseLate(this::blame);
          proposed.removeIf(entry -> !waiters.isParked(entry.id())); // nobody waits for it, and no leader took it
          scheduleTick();
        });
  }

  /// A leader whose disk hangs goes on being heard, and so would lead for ever a cluster that it keeps from working: its
  /// clock stops instead, and with its heartbeats its leadership. It is offered to another first, which is quicker.
  private void tick() {
    Long oldest = appending.peek();
    boolean stalled = oldest != null && world.clock().nanos() - oldest > config.electionNanos();
    if (!stalled || soleVoter || !node.isLeader()) {
      resigning = false;
      node.tick();
    } else if (!resigning) {
      resigning = true;
      LOG.atWarn()
          .addKeyValue("local-member-id", MemberIds.toHex(node.id()))
          .addKeyValue("took", Duration.ofNanos(world.clock().nanos() - oldest))
          .log("the disk of this leader hangs; it stops leading");
      long heir = longestActiveVoter();
      if (heir != 0) {
        node.transferLeader(heir);
      }
    }
  }

  /// Why a proposal was not answered in time, as far as this member can tell.
  private EtcdError blame(long sinceNanos) {
    long elected = leaderSinceNanos;
    if (hadLeader && sinceNanos - (elected - 2 * config.electionNanos()) > 0 && elected - sinceNanos > 0) {
      return EtcdError.TIMEOUT_DUE_TO_LEADER_FAIL;
    }
    long lead = node.lead();
    boolean connected = lead == node.id() ? hasQuorumSince(sinceNanos) : lead == 0 || isActiveSince(lead, sinceNanos);
    return connected ? EtcdError.TIMEOUT : EtcdError.TIMEOUT_DUE_TO_CONNECTION_LOST;
  }

  private boolean hasQuorumSince(long sinceNanos) {
    List<Long> voters = node.confState().voters();
    long connected =
        voters.stream().filter(voter -> voter == node.id() || isActiveSince(voter, sinceNanos)).count();
    return connected >= voters.size() / 2 + 1;
  }

  private boolean isActiveSince(long member, long sinceNanos) {
    long active = links.activeSinceNanos(member);
    return active != PeerLinks.INACTIVE && sinceNanos - active > 0;
  }

  private void afterBatch() {
    proposeAll();
    if (soleVoter && node.state() == RaftState.FOLLOWER && node.applied() == node.committed()) {
      node.campaign(); // alone there is nobody to wait for
    }
    readIndex.begin();
    while (node.hasReady()) {
      handle(node.ready());
      world.failpoints().reach(Failpoint.RAFT_BEFORE_ADVANCE);
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

  /// A candidate asks for votes once its term and the log it boasts of are durable. Did it forget them, it might stand in
  /// that term again with less in its log, and win by votes that were given for more. Raft's storage work comes last in
  /// a Ready, and is never missing in one that begins a term.
  private void handle(Ready ready) {
    publish(ready.softState());
    for (ReadState state : ready.readStates()) {
      readIndex.confirmed(state);
    }
    List<Message> candidacy = new ArrayList<>();
    for (Message message : ready.messages()) {
      switch (message) {
        case Message.Vote vote -> candidacy.add(vote);
        case Message.StorageAppend append -> {
          appending.add(world.clock().nanos());
          tell(append);
          logLoop.append(append.before(candidacy));
          candidacy = new ArrayList<>();
        }
        case Message.StorageApply apply -> applyLoop.apply(apply, this);
        case Message.InstallSnapshot snapshot -> snapshots.send(snapshot);
        default -> send(message);
      }
    }
    Invariant.check(candidacy.isEmpty(), "votes asked for in a term that goes to no log");
  }

  private void tell(Message.StorageAppend append) {
    if (!append.snapshot().isEmpty()) {
      observer.logBegins(append.snapshot().index(), append.snapshot().term());
    }
    if (!append.entries().isEmpty()) {
      observer.logged(append.entries());
    }
  }

  /// Before anything of this Ready leaves: whoever sees an effect of a commit must also see the commit index.
  private void publish(SoftState soft) {
    RaftStatus before = status;
    RaftStatus now = RaftStatus.of(node, soleVoter);
    status = now;
    if (now.lead() != before.lead()) {
      if (now.lead() != 0) {
        hadLeader = true;
        leaderSinceNanos = world.clock().nanos();
      }
      observer.leaderChanged(before.lead(), now.lead(), now.term());
      readIndex.leaderChanged();
    }
    if (now.leader() && before.leader() && now.term() == before.term() && now.committed() > before.committed()) {
      observer.committed(now.committed(), now.term());
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
