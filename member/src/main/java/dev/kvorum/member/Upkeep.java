package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.World;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.BackendSize;
import dev.kvorum.state.keys.Compaction;
import dev.kvorum.wal.SnapStore;
import dev.kvorum.wal.WalSnapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps disk and memory behind the state machine in order: backend commits on schedule, compaction, raft snapshots.
///
/// Owned by the apply loop; the work itself is done on [BackendLoop] and [LogLoop], and comes back here.
final class Upkeep {
  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

  /// Values that may wait for bolt before writes are turned away; less where memory is scarce.
  private static final long PENDING_BYTES_MAX = 256L << 20;

  /// What raft's log may keep in memory of entries that are applied; less where memory is scarce.
  private static final long LOG_BYTES_MAX = 64L << 20;

  private final World world;
  private final MemberConfig config;
  private final StateMachine machine;
  private final ApplyLoop applyLoop;
  private final BackendLoop backendLoop;
  private final LogLoop logLoop;
  private final SnapStore snapStore;
  private final RaftLog raftLog;
  private final List<Waiting> compactionWaiters = new ArrayList<>();
  private final List<Waiting> defragmenters = new ArrayList<>();
  /// Commits on their way back from the backend loop. A member that stops lets them go: each holds the db open.
  private final Queue<BackendCommit> returning = new ConcurrentLinkedQueue<>();
  /// What a leader's database holds, on its way likewise.
  private volatile @Nullable StateMachine arriving;
  private long snapshotIndex;
  private final LogRoom logRoom;
  private final long pendingBytesMax;
  private boolean snapshotting;
  private boolean compacting;
  private boolean compactionStepping;
  private volatile boolean full;

  /// Someone who waits for the end of a defragmentation, or of a compaction.
  private record Waiting(Runnable done, Consumer<EtcdException> refused) {}

  /// What upkeep asks of raft's log in memory.
  interface RaftLog {
    /// Entries up to `index` are not needed any more by who is not too far behind.
    ///
    /// @param applied as far as the state has come, with `confState` in force there
    void prune(long index, long applied, ConfState confState);

    /// Whether somebody is being brought up to date and will need what comes after.
    boolean isHeld();
  }

  Upkeep(
      World world,
      MemberConfig config,
      StateMachine machine,
      ApplyLoop applyLoop,
      BackendLoop backendLoop,
      LogLoop logLoop,
      SnapStore snapStore,
      RaftLog raftLog,
      long snapshotIndex) {
    this.world = world;
    this.config = config;
    this.machine = machine;
    this.applyLoop = applyLoop;
    this.backendLoop = backendLoop;
    this.logLoop = logLoop;
    this.snapStore = snapStore;
    this.raftLog = raftLog;
    this.snapshotIndex = snapshotIndex;
    this.pendingBytesMax = Math.min(PENDING_BYTES_MAX, config.memoryBytes() / 2);
    this.logRoom =
        new LogRoom(
            config.snapshotCatchupEntries(),
            config.strides().prunedEntries(),
            Math.min(LOG_BYTES_MAX, config.memoryBytes() / 4),
            snapshotIndex);
  }

  void start() {
    applyLoop
        .loop()
        .execute(
            () -> {
              if (machine.keys().compaction() != null) {
                LOG.atInfo()
                    .addKeyValue("scheduled-compact-revision", machine.keys().compaction().revision())
                    .log("resume scheduled compaction");
                driveCompaction();
              }
              scheduleCommit();
            });
  }

  /// Whether so much waits for bolt that writes must. Any thread.
  boolean isFull() {
    return full;
  }

  private void scheduleCommit() {
    applyLoop
        .loop()
        .schedule(
            config.backendBatchNanos(),
            () -> {
              if (!machine.backend().batch().isEmpty() && machine.backend().underwayCount() == 0) {
                commit();
              }
              scheduleCommit();
            });
  }

  /// After each turn of applying.
  ///
  /// @param bytes of the entries that it applied
  void turnEnded(long index, long bytes) {
    if (machine.backend().batch().opCount() >= config.backendBatchOperations()
        && machine.backend().underwayCount() == 0) {
      commit();
    }
    full = machine.backend().pendingBytes() > pendingBytesMax;
    if (index - snapshotIndex > config.snapshotCount() && !snapshotting) {
      snapshot(index, false);
    }
    logRoom.applied(index, bytes);
    if (logRoom.isDue(index) && !raftLog.isHeld()) {
      long to = logRoom.prune(index);
      if (to > 0) {
        // a restart reads the log from the WAL, where it goes back to the disk snapshot
        raftLog.prune(to, index, Memberships.confState(machine.membership().view()));
      }
    }
  }

  /// Puts the database that came with a snapshot from the leader in the place of the one in use.
  ///
  /// @param loaded hears what it holds, on the backend loop
  void replace(long index, Consumer<StateMachine> loaded) {
    backendLoop.replace(
        machine,
        snapStore.databaseFile(index),
        fresh -> {
          arriving = fresh;
          loaded.accept(fresh);
        });
  }

  /// It is in place: what was under way for the state before it is over. On the apply loop.
  void replaced(long index) {
    arriving = null;
    snapshotting = false;
    compacting = false;
    compactionStepping = false;
    snapshotIndex = index;
    logRoom.reset(index);
    full = false;
    driveCompaction();
  }

  /// Hands the batch to the backend now.
  void commit() {
    Backend backend = machine.backend();
    backendLoop.write(backend, backend.take(), commit -> install(backend, commit));
  }

  private void install(Backend backend, BackendCommit commit) {
    comeBack(
        backend,
        commit,
        () -> {
          machine.keys().committed(commit);
          full = machine.backend().pendingBytes() > pendingBytesMax;
          driveCompaction();
        });
  }

  /// From the backend loop to the apply loop, with a commit to install there, unless a snapshot from the leader has
  /// taken the place of what was committed to.
  private void comeBack(Backend backend, BackendCommit commit, Runnable install) {
    comeBack(backend, commit, install, () -> {});
  }

  /// @param overtaken runs instead of `install` when that is so
  private void comeBack(Backend backend, BackendCommit commit, Runnable install, Runnable overtaken) {
    returning.add(commit);
    applyLoop
        .loop()
        .execute(
            () -> {
              returning.remove(commit);
              if (machine.backend() == backend) {
                install.run();
              } else {
                commit.discard();
                overtaken.run();
              }
            });
  }

  /// Refuses who waits, and lets go of what was committed, or came from the leader, too late to be installed. Once both
  /// loops have ended.
  void end() throws IOException {
    refuse(defragmenters, EtcdException.of(EtcdError.STOPPED));
    refuse(compactionWaiters, EtcdException.of(EtcdError.STOPPED));
    for (BackendCommit commit = returning.poll(); commit != null; commit = returning.poll()) {
      commit.discard();
    }
    StateMachine late = arriving;
    if (late != null) {
      late.close();
    }
  }

  /// Runs `then` on the backend loop once everything applied so far is in the file. Any thread.
  void flush(Runnable then) {
    applyLoop
        .loop()
        .execute(
            () -> {
              commit();
              backendLoop.execute(then);
            });
  }

  /// Defragments the file while everything goes on. Any thread; one of the two is called on some loop.
  void defragment(Runnable done, Consumer<EtcdException> refused) {
    applyLoop
        .loop()
        .execute(
            () -> {
              defragmenters.add(new Waiting(done, refused));
              if (defragmenters.size() == 1) { // else one is under way, and what it brings is what was asked for
                beginDefragmentation();
              }
            });
  }

  /// Begins anew when a database from the leader comes in between: that is not what has been defragmented.
  private void beginDefragmentation() {
    commit();
    long begun = world.clock().nanos();
    Backend backend = machine.backend();
    BackendSize before = backend.size();
    backendLoop.defragment(
        backend,
        new BackendLoop.DefragmentationEnd() {
          @Override
          public void done(BackendCommit commit) {
            comeBack(backend, commit, () -> defragmented(commit, before, begun), Upkeep.this::beginDefragmentation);
          }

          @Override
          public void overtaken() {
            applyLoop.loop().execute(Upkeep.this::beginDefragmentation);
          }

          @Override
          public void failed(IOException failure) {
            EtcdException why = EtcdException.of(GrpcCode.UNKNOWN, String.valueOf(failure.getMessage()));
            applyLoop.loop().execute(() -> refuse(defragmenters, why));
          }
        });
  }

  private static List<Waiting> take(List<Waiting> waiting) {
    List<Waiting> all = List.copyOf(waiting);
    waiting.clear();
    return all;
  }

  private static void refuse(List<Waiting> waiting, EtcdException why) {
    take(waiting).forEach(one -> one.refused().accept(why));
  }

  private void defragmented(BackendCommit commit, BackendSize before, long begunNanos) {
    machine.keys().committed(commit);
    BackendSize after = commit.size();
    LOG.atInfo()
        .addKeyValue("path", config.dbFile().toString())
        .addKeyValue("current-db-size-bytes-diff", after.bytes() - before.bytes())
        .addKeyValue("current-db-size-bytes", after.bytes())
        .addKeyValue("current-db-size-in-use-bytes", after.inUseBytes())
        .addKeyValue("took", Duration.ofNanos(world.clock().nanos() - begunNanos))
        .log("finished defragmenting directory");
    take(defragmenters).forEach(one -> one.done().run());
    driveCompaction();
  }

  /// A compaction was accepted: its record goes to disk at once, then the work begins.
  void compactionScheduled() {
    backendLoop.execute(() -> world.failpoints().reach(Failpoint.COMPACT_BEFORE_COMMIT_SCHEDULED));
    commit();
    backendLoop.execute(() -> world.failpoints().reach(Failpoint.COMPACT_AFTER_COMMIT_SCHEDULED));
    driveCompaction();
  }

  /// Runs `done`, on the apply loop, when no compaction is under way, or `refused` when the member has stopped before. On
  /// the apply loop.
  void whenCompacted(Runnable done, Consumer<EtcdException> refused) {
    compactionWaiters.add(new Waiting(done, refused));
    driveCompaction();
  }

  private void driveCompaction() {
    Compaction compaction = machine.keys().compaction();
    if (compaction == null) {
      compacting = false;
      take(compactionWaiters).forEach(one -> one.done().run());
      return;
    }
    if (!compacting) {
      compacting = true;
      compactIndex();
    }
    if (compaction.isReady() && !compactionStepping) {
      compactionStepping = true;
      stepCompaction(compaction);
    }
  }

  private void compactIndex() {
    if (machine.keys().compaction() == null) {
      return;
    }
    if (machine.keys().compactIndexStep(config.strides().indexLeaves())) {
      driveCompaction();
    } else {
      applyLoop.loop().execute(this::compactIndex);
    }
  }

  private void stepCompaction(Compaction compaction) {
    long begun = world.clock().nanos();
    Backend backend = machine.backend();
    backendLoop.compact(
        backend,
        compaction,
        commit ->
            comeBack(
                backend,
                commit,
                () -> {
                  machine.keys().compacted(compaction, commit);
                  if (compaction.isFinished()) {
                    compactionStepping = false;
                    compacting = false;
                    finishedCompaction(compaction, world.clock().nanos() - begun);
                    driveCompaction();
                  } else {
                    applyLoop.loop().schedule(config.compactionSleepNanos(), () -> stepAgain(compaction));
                  }
                }));
  }

  private void stepAgain(Compaction compaction) {
    if (machine.keys().compaction() == compaction) {
      stepCompaction(compaction);
    }
  }

  private void finishedCompaction(Compaction compaction, long tookNanos) {
    var size = machine.backend().size();
    LOG.atInfo()
        .addKeyValue("compact-revision", compaction.revision())
        .addKeyValue("took", Duration.ofNanos(tookNanos))
        .addKeyValue("number-of-keys-compacted", compaction.deleted())
        .addKeyValue("current-db-size-bytes", size.bytes())
        .addKeyValue("current-db-size-in-use-bytes", size.inUseBytes())
        .log("finished scheduled compaction");
  }

  /// Takes a raft snapshot at `index`, the last applied: first bolt holds it, then the `.snap` file, then the WAL says
  /// so and lets go of what is older. In this order a crash at any point finds a start.
  void snapshot(long index, boolean forced) {
    snapshotting = true;
    LOG.atInfo()
        .addKeyValue("local-member-applied-index", index)
        .addKeyValue("local-member-snapshot-index", snapshotIndex)
        .addKeyValue("local-member-snapshot-count", config.snapshotCount())
        .addKeyValue("snapshot-forced", forced)
        .log("triggering snapshot");
    ConfState confState = Memberships.confState(machine.membership().view());
    Bytes document = Memberships.v2Document(machine.membership().view(), index);
    Snapshot snapshot = new Snapshot(document, confState, index, applyLoop.appliedTerm());
    commit();
    backendLoop.execute(
        () -> {
          try {
            snapStore.save(snapshot);
          } catch (IOException e) {
            throw new DiskFailure("save a raft snapshot", e);
          }
          logLoop.saveSnapshot(
              new WalSnapshot(index, snapshot.term(), confState), () -> applyLoop.loop().execute(() -> saved(index)));
        });
  }

  private void saved(long index) {
    if (index <= snapshotIndex) {
      return; // one from the leader came meanwhile
    }
    snapshotting = false;
    snapshotIndex = index;
    LOG.atInfo().addKeyValue("snapshot-index", index).log("saved snapshot to disk");
  }
}
