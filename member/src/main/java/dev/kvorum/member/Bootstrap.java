package dev.kvorum.member;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.env.World;
import dev.kvorum.raft.ConfState;
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
import dev.kvorum.state.membership.MemberIds;
import dev.kvorum.state.membership.MemberJson;
import dev.kvorum.wal.SnapStore;
import dev.kvorum.wal.Wal;
import dev.kvorum.wal.WalMetadata;
import dev.kvorum.wal.WalOptions;
import dev.kvorum.wal.WalSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// From a directory and a configuration to the parts of a running member: etcd's decision tree at start
/// (wal-snap-format §5).
///
/// The log says who we are and what was promised; the db says how much of it is applied. A db older than the log's last
/// snapshot is replaced by the one received with that snapshot, if a crash left it behind; anything else that does not
/// fit together is refused, never guessed at.
///
/// @param fresh true when this start created the log
/// @param snapshotIndex where the log begins
public record Bootstrap(
    StateMachine machine,
    Wal wal,
    SnapStore snapStore,
    RawNode node,
    MemoryLog log,
    long memberId,
    long clusterId,
    long snapshotIndex,
    boolean fresh) {
  private static final Logger LOG = LoggerFactory.getLogger(Bootstrap.class);
  private static final Logger RAFT_LOG = LoggerFactory.getLogger("raft");

  static Bootstrap run(World world, MemberConfig config) throws IOException {
    Disk disk = world.disk();
    disk.createDirectories(config.snapDir());
    SnapStore snapStore = new SnapStore(disk, config.snapDir());
    snapStore.removeTemporaries();
    boolean hasLog = Wal.exists(disk, config.walDir());
    if (hasLog && !disk.exists(config.dbFile())) {
      throw new StartupException("database file (" + config.dbFile() + ") of the backend is missing");
    }
    if (!hasLog) {
      checkFounding(config);
    }
    long begun = world.clock().nanos();
    StateMachine machine = StateMachine.open(disk, config.dbFile(), options(config));
    LOG.atInfo()
        .addKeyValue("path", config.dbFile().toString())
        .addKeyValue("took", java.time.Duration.ofNanos(world.clock().nanos() - begun))
        .log("opened backend db");
    try {
      return hasLog ? restart(world, config, snapStore, machine) : found(world, config, snapStore, machine);
    } catch (IOException | RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  private static StateOptions options(MemberConfig config) {
    return new StateOptions(
        new Quota(config.quotaBytes()),
        StateOptions.leaseTtlMinSeconds(
            config.electionTicks(), TimeUnit.NANOSECONDS.toMillis(config.tickNanos())),
        config.maxLearners(),
        config.leaseCheckpointPersist(),
        config.unsafeNoSync() ? BoltOptions.defaults().withNoSync(true) : BoltOptions.defaults());
  }

  private static void checkFounding(MemberConfig config) throws StartupException {
    if (config.clusterExists()) {
      throw new StartupException(
          "joining an existing cluster is not available in this release of Kvorum (--initial-cluster-state=existing)");
    }
    if (config.initialCluster().size() != 1) {
      throw new StartupException(
          "clusters of more than one member are not available in this release of Kvorum (--initial-cluster)");
    }
  }

  // ---- A first start ----

  private static Bootstrap found(World world, MemberConfig config, SnapStore snapStore, StateMachine machine)
      throws IOException {
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
    long clusterId = MemberIds.ofCluster(List.copyOf(byId.keySet()));
    Wal wal = Wal.create(world.disk(), config.walDir(), new WalMetadata(self, clusterId), walOptions(config));
    MemoryLog log = new MemoryLog();
    RawNode node = new RawNode(raftConfig(world, config, self, log));
    List<Peer> peers = new ArrayList<>();
    byId.forEach((id, member) -> peers.add(new Peer(id, Bytes.utf8(MemberJson.encode(member)))));
    node.bootstrap(peers);
    LOG.atInfo()
        .addKeyValue("local-member-id", MemberIds.toHex(self))
        .addKeyValue("cluster-id", MemberIds.toHex(clusterId))
        .log("starting local member");
    return new Bootstrap(machine, wal, snapStore, node, log, self, clusterId, 0, true);
  }

  // ---- A restart ----

  private static Bootstrap restart(World world, MemberConfig config, SnapStore snapStore, StateMachine opened)
      throws IOException {
    Disk disk = world.disk();
    List<WalSnapshot> marks = Wal.validSnapshots(disk, config.walDir());
    WalSnapshot start = marks.isEmpty() ? WalSnapshot.EMPTY : marks.getLast();
    StateMachine machine = withSnapshotDatabase(disk, config, snapStore, opened, start.index());
    Wal.Opened log = Wal.open(disk, config.walDir(), start, walOptions(config));
    if (log.brokenCopy() != null) {
      LOG.atInfo().addKeyValue("path", String.valueOf(log.brokenCopy())).log("repaired WAL");
    }
    long self = log.metadata().nodeId();
    long clusterId = log.metadata().clusterId();
    HardState hardState = log.hardState();
    MemoryLog memory = new MemoryLog();
    ConfState conf = Memberships.confState(machine.membership().view());
    // also at index 0: what the db has applied, raft must not be told to apply again
    memory.applySnapshot(new Snapshot(Bytes.EMPTY, conf, start.index(), start.term()));
    memory.setHardState(hardState);
    memory.append(log.entries());
    LOG.atInfo()
        .addKeyValue("cluster-id", MemberIds.toHex(clusterId))
        .addKeyValue("local-member-id", MemberIds.toHex(self))
        .addKeyValue("commit-index", hardState.commit())
        .log("restarting local member");
    RawNode node = new RawNode(raftConfig(world, config, self, memory));
    return new Bootstrap(machine, log.wal(), snapStore, node, memory, self, clusterId, start.index(), false);
  }

  /// A crash may come between the record of a received snapshot and the moment its db takes the old one's place.
  private static StateMachine withSnapshotDatabase(
      Disk disk, MemberConfig config, SnapStore snapStore, StateMachine machine, long snapshotIndex)
      throws IOException {
    long applied = machine.backend().committedIndex();
    if (snapshotIndex <= applied) {
      return machine;
    }
    var received = snapStore.databaseFile(snapshotIndex);
    if (!disk.exists(received)) {
      if (applied == 0) {
        throw new StartupException(
            "failed to find database snapshot file (snap: snapshot file doesn't exist)");
      }
      throw new StartupException(
          "database file (%s index %d) does not match with snapshot (index %d)"
              .formatted(config.dbFile(), applied, snapshotIndex));
    }
    machine.close();
    disk.rename(received, config.dbFile());
    disk.syncDirectory(config.snapDir());
    return StateMachine.open(disk, config.dbFile(), options(config));
  }

  private static WalOptions walOptions(MemberConfig config) {
    return WalOptions.DEFAULT.withUnsafeNoSync(config.unsafeNoSync());
  }

  private static RaftConfig raftConfig(World world, MemberConfig config, long self, MemoryLog log) {
    RaftConfig.Rules rules = RaftConfig.Rules.ETCD.withAsyncStorageWrites(true).withPreVote(config.preVote());
    return RaftConfig.of(self, config.electionTicks(), 1, log, new java.util.SplittableRandom(world.random().nextLong()))
        .withRules(rules)
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

  /// The configuration raft begins with; for log lines and checks.
  ConfState confState() {
    return node.confState();
  }
}
