package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.World;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.member.watch.WatchHub;
import dev.kvorum.member.watch.WatchMetrics;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.LogStorage;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.state.ApplyOutcome;
import dev.kvorum.state.Effect;
import dev.kvorum.state.Quota;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.alarm.AlarmMember;
import dev.kvorum.state.alarm.AlarmType;
import dev.kvorum.state.backend.BackendSize;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.lease.LeaseExpiry;
import dev.kvorum.state.membership.MemberIds;
import dev.kvorum.state.membership.MembershipView;
import dev.kvorum.state.schema.Version;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One running member: its loops, put together, and the services the front calls.
///
/// ```java
/// Member member = Member.start(world, config, observer);   // observer.ready() follows once it serves
/// member.kv().put(…);
/// member.stop(timeoutNanos);
/// ```
public final class Member {
  private static final Logger LOG = LoggerFactory.getLogger(Member.class);

  /// From the moment a member applies its own removal to the moment it stops.
  private static final long REMOVED_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final World world;
  private final MemberConfig config;
  private final PeerLinks links;
  private final List<dev.kvorum.state.membership.Member> joined;
  private final Observer observer;
  private final StateMachine machine;
  private final long memberId;
  private final Headers headers;
  private final LogLoop logLoop;
  private final ApplyLoop applyLoop;
  private final RaftLoop raftLoop;
  private final BackendLoop backendLoop;
  private final Upkeep upkeep;
  private final LeaseKeeper leaseKeeper;
  private final AutoCompactor autoCompactor;
  private final Versions versions;
  private final Waiters waiters;
  private final Proposals proposals;
  private final QuotaGuard quota;
  private final WatchHub watchHub;
  private final MemoryBudget memory;
  private final KvService kv;
  private final LeaderCalls leaderCalls;
  private final LeaseService leases;
  private final MaintenanceService maintenance;
  private final ClusterService cluster;
  private final SnapshotSending snapshots;
  private final Peers peers;
  private final AtomicBoolean halted = new AtomicBoolean();
  private final AtomicBoolean stopped = new AtomicBoolean();

  private volatile MembershipView membership;
  private volatile List<AlarmMember> alarms;

  /// Hears what happens to a member. Called on its loops: must not block.
  public interface Observer {
    /// The cluster knows this member; requests are served.
    default void ready() {}

    /// The member has stopped by itself and will not come back: its disk failed, or a check of ours did.
    default void halted(String what, Throwable cause) {}

    /// The cluster has removed this member for good, and it has been told or has applied that itself. It serves no more
    /// and is to be stopped.
    default void removed() {}

    default void leaderChanged(long from, long to, long term) {}

    /// Raft's log begins behind (`index`, `term`): what a start has found, or a snapshot in place of everything before.
    default void logBegins(long index, long term) {}

    /// Raft's log goes on with `entries`, which follow each other: they take the place of all that was at the first
    /// one's index and behind. On their way to the disk, not there yet.
    default void logged(List<Entry> entries) {}

    /// As the leader of `term`, this member has found everything up to `index` to be committed.
    default void committed(long index, long term) {}

    /// Raft goes by `configuration` from now on.
    default void configured(ConfState configuration) {}

    /// The cluster speaks `version` (`major.minor`) from now on.
    default void clusterVersion(String version) {}

    /// A committed entry was applied, with what came of it; again after a restart, if the backend had not kept it.
    default void applied(Entry entry, ApplyOutcome outcome) {}

    /// One request from the log was applied. `op` is etcd's name of the operation.
    default void applied(String op, boolean success, long tookNanos) {}

    /// One entry changed keys: `puts` of them written, `deletes` gone.
    default void changed(int puts, int deletes) {}

    /// One request was answered, from its arrival on. `type` is `Range`, `ReadonlyTxn` or the operation's name.
    default void answered(String type, boolean success, long tookNanos) {}

    /// One range was read.
    default void ranged(boolean success, long tookNanos) {}

    /// A sync of the log, in nanoseconds.
    default void walSynced(long tookNanos) {}

    /// A commit of the backend, in nanoseconds.
    default void backendCommitted(long tookNanos) {}

    default WatchMetrics watches() {
      return WatchMetrics.NONE;
    }
  }

  private Member(World world, MemberConfig config, PeerLinks links, Observer observer, Bootstrap boot) {
    this.world = world;
    this.config = config;
    this.links = links;
    this.joined = boot.joined();
    this.observer = observer;
    this.memory = new MemoryBudget(config.memoryBytes());
    this.machine = boot.machine();
    this.memberId = boot.memberId();
    this.membership = machine.membership().view();
    this.alarms = machine.alarms().get(AlarmType.NONE);
    RequestIds ids = new RequestIds(memberId, world.clock().wallMillis());
    RequestTimes times = new RequestTimes(world.clock(), config.warningApplyNanos(), observer);
    this.waiters = new Waiters(world.clock(), config.requestTimeoutNanos());
    this.logLoop = new LogLoop(world, config, boot.wal(), boot.snapStore(), observer::walSynced, this::halt);
    this.applyLoop = new ApplyLoop(world, machine, waiters, new Effects(), times, boot.snapshotIndex(), boot.snapshotTerm(), this::halt);
    this.backendLoop = new BackendLoop(world, config, machine.backend(), observer::backendCommitted, this::halt);
    this.raftLoop =
        new RaftLoop(
            world, config, boot.node(), boot.log(), logLoop, applyLoop, links, observer, ids, waiters,
            this::halt);
    this.headers = new Headers(boot.clusterId(), memberId, () -> raftLoop.status().term());
    this.upkeep =
        new Upkeep(
            world, config, machine, applyLoop, backendLoop, logLoop, boot.snapStore(), new LogInMemory(),
            boot.snapshotIndex());
    this.snapshots = new SnapshotSending(world, machine, applyLoop, backendLoop, upkeep, raftLoop, links);
    this.proposals = new Proposals(config, ids, waiters, raftLoop, applyLoop, upkeep::isFull, times);
    this.quota = new QuotaGuard(new Quota(config.quotaBytes()), machine, memberId);
    this.leaseKeeper =
        new LeaseKeeper(
            world,
            config,
            applyLoop,
            leaseExpiry());
    this.autoCompactor = new AutoCompactor(config, applyLoop, proposals);
    this.versions = new Versions(world.failpoints(), config, applyLoop, machine, proposals, links, memberId, observer::ready);
    this.watchHub =
        new WatchHub(
            world,
            this::view,
            headers,
            observer.watches(),
            memory,
            config.maxRequestBytes() + 512 * 1024,
            config.progressNotifyNanos(),
            config.strides(),
            machine.keys().currentRevision(),
            failure -> halt("watch loop", failure));
    this.kv =
        new KvService(
            world, config, proposals, raftLoop.readIndex(), quota, this::view, headers, upkeep, times, memory);
    this.leaderCalls = new LeaderCalls(world, config, raftLoop, applyLoop, links);
    this.leases =
        new LeaseService(
            world, leaderCalls, this::currentRevision, applyLoop, raftLoop, proposals, quota, leaseKeeper, headers);
    this.maintenance =
        new MaintenanceService(world, this, applyLoop, raftLoop, backendLoop, proposals, upkeep, headers);
    this.cluster =
        new ClusterService(world, config, raftLoop, applyLoop, proposals, leaderCalls, links, this::membership, headers);
    this.peers = new Peers(this, raftLoop, leases, cluster, boot.snapStore(), snapshots);
  }

  /// Opens the directory, recovers, and starts the loops.
  ///
  /// @throws StartupException when configuration and directory do not fit together
  /// @throws IOException when the disk fails or holds what cannot be
  public static Member start(World world, MemberConfig config, Observer observer) throws IOException {
    return start(world, config, PeerLinks.NONE, null, observer);
  }

  /// As above, as one of several.
  ///
  /// @param links to the others
  /// @param remote the running cluster to join, when `config` says that there is one and this member has never started;
  ///     null otherwise
  public static Member start(
      World world, MemberConfig config, PeerLinks links, @Nullable RemoteCluster remote, Observer observer)
      throws IOException {
    Bootstrap boot = Bootstrap.run(world, config, links == PeerLinks.NONE, remote);
    LOG.atInfo().addKeyValue("current-rev", boot.machine().keys().currentRevision()).log("kvstore restored");
    Member member = new Member(world, config, links, observer, boot);
    member.run(boot.log());
    return member;
  }

  private void run(LogStorage log) {
    Version version = membership.clusterVersion();
    LOG.atInfo()
        .addKeyValue("local-member-id", MemberIds.toHex(memberId))
        .addKeyValue("local-server-version", config.serverVersion())
        .addKeyValue("cluster-version", version == null ? "to_be_decided" : version.major() + "." + version.minor())
        .log("starting etcd server");
    tellClusterVersion();
    observer.logBegins(log.firstIndex() - 1, log.term(log.firstIndex() - 1));
    observer.logged(log.entries(log.firstIndex(), log.lastIndex() + 1, RaftConfig.UNLIMITED));
    links.start(peers);
    links.members(reachable());
    applyLoop.start(watchHub);
    upkeep.start();
    leaseKeeper.start(proposals, raftLoop.readIndex());
    autoCompactor.start();
    raftLoop.start(snapshots::send);
    versions.start();
  }

  /// Who is to be reached. A member that has just joined learns the members one by one from the log; until it has come
  /// to its own addition, those it was told of at the start count too.
  private MembershipView reachable() {
    MembershipView known = membership;
    if (joined.isEmpty() || known.member(memberId) != null || known.isRemoved(memberId)) {
      return known;
    }
    TreeMap<Long, dev.kvorum.state.membership.Member> all = new TreeMap<>(Long::compareUnsigned);
    joined.forEach(member -> all.put(member.id(), member));
    known.members().forEach(member -> all.put(member.id(), member));
    known.removedIds().forEach(all::remove);
    return new MembershipView(
        List.copyOf(all.values()), known.removedIds(), known.clusterVersion(), known.downgradeInfo());
  }

  private LeaseExpiry leaseExpiry() {
    return machine.leaseExpiry(
        config.requestTimeoutNanos(),
        config.leaseCheckpoint() ? TimeUnit.MINUTES.toNanos(5) : 0,
        world.clock().nanos());
  }

  private void membersChanged(MembershipView view) {
    boolean wasRemoved = membership.isRemoved(memberId);
    membership = view;
    links.members(reachable());
    if (view.isRemoved(memberId) && !wasRemoved) {
      LOG.atWarn()
          .addKeyValue("local-member-id", MemberIds.toHex(memberId))
          .log("the member has been permanently removed from the cluster");
      leaseKeeper.retire();
      leaderCalls.end();
      // what the others still need of it, its acknowledgement of this very change above all, goes out meanwhile
      applyLoop.loop().schedule(REMOVED_NANOS, observer::removed);
    }
  }

  /// Raft's log in memory, as [Upkeep] sees it.
  private final class LogInMemory implements Upkeep.RaftLog {
    @Override
    public void prune(long index, long applied, ConfState confState) {
      raftLoop.compactLog(index, applied, confState);
    }

    @Override
    public boolean isHeld() {
      return snapshots.holdsLog();
    }
  }

  /// What applied entries mean to the rest of the member. On the apply loop.
  private final class Effects implements ApplyLoop.EffectHandler {
    @Override
    public void handle(Effect effect) {
      switch (effect) {
        case Effect.RaiseNoSpace _ -> raiseNoSpace(() -> {});
        case Effect.CompactionScheduled _ -> upkeep.compactionScheduled();
        case Effect.LeaseGranted _, Effect.LeaseRevoked _, Effect.LeaseCheckpointed _ -> leaseKeeper.handle(effect);
        case Effect.AlarmsChanged _ -> alarms = machine.alarms().get(AlarmType.NONE);
        case Effect.MembershipChanged changed -> membersChanged(changed.view());
        case Effect.MembershipUpdated updated -> membership = updated.view();
        case Effect.ClusterVersionChanged changed -> {
          membership = changed.view();
          versions.handle(changed);
          tellClusterVersion();
        }
      }
    }

    @Override
    public void raiseNoSpace(Runnable then) {
      quota.raiseAlarm(proposals, () -> applyLoop.loop().execute(then));
    }

    @Override
    public void applied(Entry entry, ApplyOutcome outcome) {
      observer.applied(entry, outcome);
    }

    @Override
    public void turnEnded(long index, long bytes) {
      upkeep.turnEnded(index, bytes);
    }

    @Override
    public void install(Snapshot snapshot, Consumer<StateMachine> loaded) {
      LOG.atInfo()
          .addKeyValue("current-applied-index", applyLoop.appliedIndex())
          .addKeyValue("incoming-leader-snapshot-index", snapshot.index())
          .addKeyValue("incoming-leader-snapshot-term", snapshot.term())
          .log("applying snapshot");
      upkeep.replace(snapshot.index(), loaded);
    }

    @Override
    public void installed(Snapshot snapshot) {
      upkeep.replaced(snapshot.index());
      leaseKeeper.replaced(leaseExpiry());
      alarms = machine.alarms().get(AlarmType.NONE);
      membersChanged(machine.membership().view());
      versions.replaced();
      tellClusterVersion();
      LOG.atInfo()
          .addKeyValue("incoming-leader-snapshot-index", snapshot.index())
          .addKeyValue("current-rev", machine.keys().currentRevision())
          .log("applied snapshot");
    }

    @Override
    public void leads() {
      leaseKeeper.promote();
      autoCompactor.leads(true);
      versions.leads(true);
    }

    @Override
    public void leadsNoMore() {
      leaseKeeper.demote();
      autoCompactor.leads(false);
      versions.leads(false);
    }
  }

  private void tellClusterVersion() {
    Version version = membership.clusterVersion();
    if (version != null) {
      observer.clusterVersion(version.major() + "." + version.minor());
    }
  }

  private void halt(String what, Throwable cause) {
    if (halted.compareAndSet(false, true)) {
      LOG.atError().addKeyValue("error", String.valueOf(cause)).setCause(cause).log("{} failed; the member stops", what);
      raftLoop.stop(); // what comes now is refused, and who waits need not wait out his time
      waiters.refuseAll(EtcdError.STOPPED);
      observer.halted(what, cause);
    }
  }

  // ---- What the front calls ----

  public KvService kv() {
    return kv;
  }

  public WatchHub watches() {
    return watchHub;
  }

  public LeaseService leases() {
    return leases;
  }

  public MaintenanceService maintenance() {
    return maintenance;
  }

  public ClusterService cluster() {
    return cluster;
  }

  /// What requests in flight hold of memory. The front books them there, too.
  public MemoryBudget memory() {
    return memory;
  }

  public MemberConfig config() {
    return config;
  }

  public long memberId() {
    return memberId;
  }

  public long clusterId() {
    return headers.clusterId();
  }

  public boolean hasLeader() {
    return raftLoop.status().lead() != 0;
  }

  public boolean isLeader() {
    return raftLoop.status().leader();
  }

  public boolean isLearner() {
    var self = membership.member(memberId);
    return self != null && self.isLearner();
  }

  public MembershipView membership() {
    return membership;
  }

  public List<AlarmMember> alarms() {
    return alarms;
  }

  /// The newest published view, held for the caller, who closes it.
  public KvView view() {
    return machine.view();
  }

  public long currentRevision() {
    try (KvView view = view()) {
      return view.currentRevision();
    }
  }

  public BackendSize backendSize() {
    return machine.backend().size();
  }

  /// Null until the cluster has decided.
  public @Nullable String clusterVersion() {
    Version version = membership.clusterVersion();
    return version == null ? null : version.toString();
  }

  /// Null until the file records one.
  public @Nullable String storageVersion() {
    Version version = versions.storage();
    return version == null ? null : version.toString();
  }

  public long raftTerm() {
    return raftLoop.status().term();
  }

  public long committedIndex() {
    return raftLoop.status().committed();
  }

  public long appliedIndex() {
    return applyLoop.appliedIndex();
  }

  public int proposalsPending() {
    return waiters.count();
  }

  /// Reads as a health check does. `done` hears null when that works, else why not.
  public void probe(boolean linearizable, Caller caller, Consumer<@Nullable String> done) {
    if (linearizable) {
      raftLoop.readIndex().await(caller.home(), () -> done.accept(null), why -> done.accept(why.text()));
    } else {
      try (KvView view = view()) {
        Objects.requireNonNull(view);
        done.accept(null);
      } catch (IllegalStateException stopped) {
        done.accept("etcdserver: server stopped");
      }
    }
  }

  /// Before a planned stop: hands leadership, if this member has it, to another, so that nobody waits for an election.
  /// `done` runs on some loop, at once or within the time a request may take.
  public void handOver(Runnable done) {
    raftLoop.handOver(done);
  }

  /// Ends the loops in the order work flows, waits for what is under way, and closes the files. Whatever was
  /// acknowledged is durable already.
  ///
  /// Again is fine and does nothing.
  ///
  /// @param timeoutNanos for each loop: one that does not end in time keeps its files, and nobody else touches them
  /// @throws IOException when a loop did not end in time, or closing the files failed
  public void stop(long timeoutNanos) throws IOException, InterruptedException {
    if (!stopped.compareAndSet(false, true)) {
      return;
    }
    raftLoop.stop();
    boolean ended = raftLoop.awaitStopped(timeoutNanos);
    links.stop();
    waiters.refuseAll(EtcdError.STOPPED);
    logLoop.stop();
    applyLoop.stop();
    boolean applied = applyLoop.awaitStopped(timeoutNanos);
    if (applied && !halted.get()) {
      flushBackend();
    }
    backendLoop.stop();
    boolean written = backendLoop.awaitStopped(timeoutNanos);
    watchHub.stop();
    ended &= watchHub.awaitStopped(timeoutNanos);
    try {
      ended &= logLoop.close(timeoutNanos);
    } catch (IOException e) {
      if (!halted.get()) {
        throw e; // of a halted member nothing better was to be expected
      }
    } finally {
      if (applied && written) {
        upkeep.end();
        machine.close();
      }
    }
    if (!(ended && applied && written)) {
      throw new IOException("the member did not stop within its time: its disk is stuck");
    }
  }

  /// The apply loop has ended, so its state is ours: what is pending goes to disk, and a restart replays nothing.
  private void flushBackend() {
    if (!machine.backend().batch().isEmpty()) {
      backendLoop.write(machine.backend(), machine.backend().take(), commit -> commit.discard());
    }
  }
}
