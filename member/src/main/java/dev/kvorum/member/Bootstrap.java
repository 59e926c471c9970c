package dev.kvorum.member;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.env.World;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.MemoryLog;
import dev.kvorum.raft.Peer;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.raft.RaftLog;
import dev.kvorum.raft.RawNode;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.state.Quota;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.StateOptions;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.BackendSize;
import dev.kvorum.state.backend.Defragmentation;
import dev.kvorum.state.membership.MemberIds;
import dev.kvorum.state.membership.MemberJson;
import dev.kvorum.wal.SnapStore;
import dev.kvorum.wal.Wal;
import dev.kvorum.wal.WalMetadata;
import dev.kvorum.wal.WalOpening;
import dev.kvorum.wal.WalSnapshot;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// From a directory and a configuration to the parts of a running member: etcd's decision tree at start
/// (wal-snap-format §5).
///
/// The log says who we are and what was promised; the db says how much of it is applied. A db older than the log's last
/// snapshot is replaced by the one received with that snapshot, if a crash left it behind; anything else that does not
/// fit together is refused, never guessed at.
///
/// @param snapshotIndex where the log begins
/// @param snapshotTerm the term of that entry
/// @param joined the members of the running cluster that this one joins; empty otherwise
/// @param fresh true when this start created the log
public record Bootstrap(
    StateMachine machine,
    Wal wal,
    SnapStore snapStore,
    RawNode node,
    MemoryLog log,
    long memberId,
    long clusterId,
    long snapshotIndex,
    long snapshotTerm,
    List<dev.kvorum.state.membership.Member> joined,
    boolean fresh) {
  private static final Logger LOG = LoggerFactory.getLogger(Bootstrap.class);
  private static final Logger RAFT_LOG = LoggerFactory.getLogger("raft");
  private static final int DEFRAGMENT_KEYS_PER_STEP = 100_000;
  private static final long DEFRAGMENT_BYTES_PER_STEP = 64L << 20;

  /// @param alone whether this member cannot reach others: where there are any it must not start
  /// @param remote the cluster to join; needed when `config` says that there is one and this member has no log
  static Bootstrap run(World world, MemberConfig config, boolean alone, @Nullable RemoteCluster remote)
      throws IOException {
    Disk disk = world.disk();
    disk.createDirectories(config.snapDir());
    SnapStore snapStore = new SnapStore(disk, config.snapDir());
    snapStore.removeTemporaries();
    boolean hasLog = Wal.exists(disk, config.walDir());
    boolean hasDb = disk.exists(config.dbFile());
    if (!hasLog && alone) {
      LoneMember.requireFounding(config);
    }
    if (!hasLog) {
      syncNames(disk, config);
    }
    StateMachine machine = open(world, config);
    try {
      if (!hasLog) {
        return begin(world, config, snapStore, machine, remote);
      }
      List<WalSnapshot> marks = Wal.validSnapshots(disk, config.walDir());
      WalSnapshot start = marks.isEmpty() ? WalSnapshot.EMPTY : marks.getLast();
      if (start.index() > machine.backend().committedIndex()) {
        requireReceivedDatabase(disk, config, snapStore, machine.backend().committedIndex(), start.index());
        machine.close();
        machine = null;
        disk.rename(snapStore.databaseFile(start.index()), config.dbFile());
        disk.syncDirectory(config.snapDir());
        machine = open(world, config);
      }
      return restart(world, config, snapStore, machine, start, alone, remote);
    } catch (IOException | RuntimeException e) {
      if (machine != null) {
        machine.close();
      }
      if (hasLog && !hasDb) {
        disk.delete(config.dbFile()); // an empty one in its place would look like a fresh member's
      }
      throw e;
    }
  }

  /// Makes the directories durable that a first start creates: without their names all that is synced within them is
  /// gone after a power failure, and the member would found its cluster a second time. What exists is synced as well, for
  /// a start before this one may have been cut short.
  private static void syncNames(Disk disk, MemberConfig config) throws IOException {
    disk.syncDirectory(config.memberDir());
    disk.syncDirectory(config.dataDir());
    Path above = config.dataDir().toAbsolutePath().getParent();
    if (above != null) {
      try {
        disk.syncDirectory(above);
      } catch (AccessDeniedException notOurs) {
        // whoever made it so keeps us from creating in it, too: it was made for us
      }
    }
  }

  private static StateMachine open(World world, MemberConfig config) throws IOException {
    long begun = world.clock().nanos();
    StateMachine machine = StateMachine.open(world.disk(), config.dbFile(), options(world, config), world.loops().workers());
    LOG.atInfo()
        .addKeyValue("path", config.dbFile().toString())
        .addKeyValue("took", Duration.ofNanos(world.clock().nanos() - begun))
        .log("opened backend db");
    try {
      defragment(config, machine);
      return machine;
    } catch (IOException | RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  /// `--bootstrap-defrag-threshold-megabytes`: while nobody is served, a file that is mostly free pages costs nothing to
  /// copy but the time.
  private static void defragment(MemberConfig config, StateMachine machine) throws IOException {
    BackendSize size = machine.backend().size();
    long free = size.bytes() - size.inUseBytes();
    if (config.bootstrapDefragBytes() <= 0 || free < config.bootstrapDefragBytes()) {
      return;
    }
    Defragmentation defragmentation = machine.backend().beginDefragmentation();
    BackendCommit commit = null;
    while (commit == null) {
      commit = defragmentation.step(DEFRAGMENT_KEYS_PER_STEP, DEFRAGMENT_BYTES_PER_STEP);
    }
    machine.keys().committed(commit);
    LOG.atInfo()
        .addKeyValue("current-db-size-bytes-diff", commit.size().bytes() - size.bytes())
        .addKeyValue("current-db-size-bytes", commit.size().bytes())
        .log("defragmented the backend at start");
  }

  private static StateOptions options(World world, MemberConfig config) {
    return new StateOptions(
        new Quota(config.quotaBytes()),
        StateOptions.leaseTtlMinSeconds(
            config.electionTicks(), TimeUnit.NANOSECONDS.toMillis(config.tickNanos())),
        config.maxLearners(),
        config.leaseCheckpointPersist(),
        config.walOptions().unsafeNoSync() ? BoltOptions.defaults().withNoSync(true) : BoltOptions.defaults(),
        world.failpoints());
  }

  // ---- A first start ----

  private static Bootstrap begin(
      World world, MemberConfig config, SnapStore snapStore, StateMachine machine, @Nullable RemoteCluster remote)
      throws IOException {
    long applied = machine.backend().committedIndex();
    if (applied != 0) {
      throw new StartupException(
          "database file (%s index %d) has no log in %s".formatted(config.dbFile(), applied, config.walDir()));
    }
    if (config.clusterExists()) {
      if (remote == null) {
        throw new StartupException("cannot fetch cluster info from peer urls: could not retrieve cluster information");
      }
      WalMetadata metadata = new WalMetadata(ownId(config, remote), remote.clusterId());
      Wal wal = Wal.create(world.disk(), config.walDir(), metadata, config.walOptions());
      return join(world, config, snapStore, machine, wal, metadata, remote);
    }
    Founders founders = Founders.of(config);
    WalMetadata metadata = new WalMetadata(founders.self(), founders.clusterId());
    Wal wal = Wal.create(world.disk(), config.walDir(), metadata, config.walOptions());
    return found(world, config, snapStore, machine, wal, founders);
  }

  /// Everything before the first entry.
  private static Bootstrap found(
      World world, MemberConfig config, SnapStore snapStore, StateMachine machine, Wal wal, Founders founders) {
    MemoryLog log = new MemoryLog();
    RawNode node = new RawNode(raftConfig(world, config, founders.self(), log));
    node.bootstrap(founders.peers());
    LOG.atInfo()
        .addKeyValue("local-member-id", MemberIds.toHex(founders.self()))
        .addKeyValue("cluster-id", MemberIds.toHex(founders.clusterId()))
        .log("starting local member");
    return new Bootstrap(
        machine, wal, snapStore, node, log, founders.self(), founders.clusterId(), 0, 0, List.of(), true);
  }

  /// A member that others have added: it knows nothing but where they are, and waits for the leader's log or snapshot.
  private static Bootstrap join(
      World world, MemberConfig config, SnapStore snapStore, StateMachine machine, Wal wal, WalMetadata metadata,
      RemoteCluster remote) {
    MemoryLog log = new MemoryLog();
    RawNode node = new RawNode(raftConfig(world, config, metadata.nodeId(), log));
    LOG.atInfo()
        .addKeyValue("local-member-id", MemberIds.toHex(metadata.nodeId()))
        .addKeyValue("cluster-id", MemberIds.toHex(metadata.clusterId()))
        .log("joining an existing cluster");
    return new Bootstrap(
        machine, wal, snapStore, node, log, metadata.nodeId(), metadata.clusterId(), 0, 0, remote.members(), true);
  }

  /// Who of the running cluster this member is, by the address it was added under.
  private static long ownId(MemberConfig config, RemoteCluster remote) throws StartupException {
    List<String> own = config.advertisePeerUrls().stream().sorted().toList();
    for (var member : remote.members()) {
      if (member.peerUrlsOrNone().stream().sorted().toList().equals(own)) {
        return member.id();
      }
    }
    throw new StartupException("error validating peerURLs: no member of the cluster has the peer URLs " + own);
  }

  /// Who founds the cluster, and what it is called thereby.
  private record Founders(long self, long clusterId, List<Peer> peers) {
    static Founders of(MemberConfig config) {
      Map<Long, dev.kvorum.state.membership.Member> byId = new TreeMap<>(Long::compareUnsigned);
      long self = 0;
      for (Map.Entry<String, List<String>> entry : config.initialCluster().entrySet()) {
        List<String> urls = entry.getValue().stream().sorted().toList();
        long id = MemberIds.ofBootstrap(urls, config.clusterToken());
        byId.put(id, dev.kvorum.state.membership.Member.voter(id, urls).withAttributes(entry.getKey(), List.of()));
        if (entry.getKey().equals(config.name())) {
          self = id;
        }
      }
      List<Peer> peers = new ArrayList<>();
      byId.forEach((id, member) -> peers.add(new Peer(id, Bytes.utf8(MemberJson.encode(member)))));
      return new Founders(self, MemberIds.ofCluster(List.copyOf(byId.keySet())), peers);
    }
  }

  // ---- A restart ----

  private static Bootstrap restart(
      World world, MemberConfig config, SnapStore snapStore, StateMachine machine, WalSnapshot start,
      boolean alone, @Nullable RemoteCluster remote)
      throws IOException {
    Wal.Opened log = takeOver(world, config, machine, start);
    try {
      boolean holdsNothing = machine.backend().committedIndex() == 0 && log.hardState().isEmpty();
      if (start.index() == 0 && holdsNothing) {
        return beginAgain(world, config, snapStore, machine, log, remote);
      }
      return resume(world, config, snapStore, machine, start, alone, log);
    } catch (IOException | RuntimeException e) {
      log.wal().close();
      throw e;
    }
  }

  private static Wal.Opened takeOver(World world, MemberConfig config, StateMachine machine, WalSnapshot start)
      throws IOException {
    DbBesideLog db =
        new DbBesideLog(config.dbFile(), machine.backend().committedIndex(), machine.membership().view());
    try (WalOpening found = WalOpening.find(world.disk(), config.walDir(), start, config.walOptions())) {
      db.requireOneMember(config.walDir(), start, found);
      Wal.Opened log = found.takeOver();
      if (log.brokenCopy() != null) {
        LOG.atInfo()
            .addKeyValue("path", log.brokenCopy().toString())
            .addKeyValue("offset", found.endOffset())
            .log(found.isTorn() ? "repaired WAL" : "cut off what lay behind the end of the WAL, keeping a copy");
      }
      return log;
    }
  }

  /// The first start ended before its first write was whole: nothing was promised to anybody, so it is done anew.
  private static Bootstrap beginAgain(
      World world, MemberConfig config, SnapStore snapStore, StateMachine machine, Wal.Opened log,
      @Nullable RemoteCluster remote)
      throws StartupException {
    if (config.clusterExists() && remote != null) {
      requireOwn(config, log, new WalMetadata(ownId(config, remote), remote.clusterId()));
      return join(world, config, snapStore, machine, log.wal(), log.metadata(), remote);
    }
    Founders founders = Founders.of(config);
    requireOwn(config, log, new WalMetadata(founders.self(), founders.clusterId()));
    return found(world, config, snapStore, machine, log.wal(), founders);
  }

  private static void requireOwn(MemberConfig config, Wal.Opened log, WalMetadata expected) throws StartupException {
    if (!log.metadata().equals(expected)) {
      throw new StartupException(
          "the log in %s, which holds nothing yet, was begun by member %s of cluster %s"
              .formatted(
                  config.walDir(),
                  MemberIds.toHex(log.metadata().nodeId()),
                  MemberIds.toHex(log.metadata().clusterId())));
    }
  }

  private static Bootstrap resume(
      World world, MemberConfig config, SnapStore snapStore, StateMachine machine, WalSnapshot start, boolean alone,
      Wal.Opened log)
      throws IOException {
    long self = log.metadata().nodeId();
    long clusterId = log.metadata().clusterId();
    HardState hardState = log.hardState();
    List<Entry> entries = log.entries();
    LoneMember lone = new LoneMember(self, machine.membership().view(), machine.backend().committedIndex());
    if (config.forceNewCluster()) {
      LoneMember.Forced forced = lone.force(hardState, entries);
      log.wal().append(forced.hardState(), forced.appended());
      log.wal().sync();
      LOG.atInfo()
          .addKeyValue("cluster-id", MemberIds.toHex(clusterId))
          .addKeyValue("local-member-id", MemberIds.toHex(self))
          .addKeyValue("wal-commit-index", hardState.commit())
          .addKeyValue("commit-index", forced.hardState().commit())
          .log("forcing restart member");
      hardState = forced.hardState();
      entries = forced.entries();
    } else {
      if (alone) {
        lone.require(entries);
      }
      LOG.atInfo()
          .addKeyValue("cluster-id", MemberIds.toHex(clusterId))
          .addKeyValue("local-member-id", MemberIds.toHex(self))
          .addKeyValue("commit-index", hardState.commit())
          .log("restarting local member");
    }
    MemoryLog memory = new MemoryLog();
    ConfState conf = Memberships.confState(machine.membership().view());
    // also at index 0: what the db has applied, raft must not be told to apply again
    memory.applySnapshot(new Snapshot(Bytes.EMPTY, conf, start.index(), start.term()));
    memory.setHardState(hardState);
    memory.append(entries);
    RawNode node = new RawNode(raftConfig(world, config, self, memory));
    return new Bootstrap(machine, log.wal(), snapStore, node, memory, self, clusterId, start.index(), start.term(), List.of(), false);
  }

  /// A crash may come between the record of a received snapshot and the moment its db takes the old one's place.
  private static void requireReceivedDatabase(
      Disk disk, MemberConfig config, SnapStore snapStore, long applied, long snapshotIndex) throws StartupException {
    if (disk.exists(snapStore.databaseFile(snapshotIndex))) {
      return;
    }
    if (applied == 0) {
      throw new StartupException("failed to find database snapshot file (snap: snapshot file doesn't exist)");
    }
    throw new StartupException(
        "database file (%s index %d) does not match with snapshot (index %d)"
            .formatted(config.dbFile(), applied, snapshotIndex));
  }

  private static RaftConfig raftConfig(World world, MemberConfig config, long self, MemoryLog log) {
    RaftConfig.Rules rules = RaftConfig.Rules.ETCD.withAsyncStorageWrites(true).withPreVote(config.preVote());
    return RaftConfig.of(self, config.electionTicks(), 1, log, new java.util.SplittableRandom(world.random().nextLong()))
        .withRules(rules)
        .withLimits(config.raftLimits())
        .withLog(Bootstrap::log);
  }

  private static void log(RaftLog.Level level, java.util.function.Supplier<String> message) {
    switch (level) {
      case DEBUG -> {
        if (RAFT_LOG.isDebugEnabled()) {
          RAFT_LOG.debug(message.get());
        }
      }
      case INFO -> RAFT_LOG.info(message.get());
      case WARN -> RAFT_LOG.warn(message.get());
      case ERROR -> RAFT_LOG.error(message.get());
    }
  }
}
