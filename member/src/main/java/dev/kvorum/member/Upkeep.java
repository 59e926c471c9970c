package dev.kvorum.member;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.World;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.BackendSize;
import dev.kvorum.state.keys.Compaction;
import dev.kvorum.wal.SnapStore;
import dev.kvorum.wal.WalSnapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps disk and memory behind the state machine in order: backend commits on schedule, compaction, raft snapshots.
///
/// Owned by the apply loop; the work itself is done on [BackendLoop] and [LogLoop], and comes back here.
final class Upkeep {
  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

  /// Leaves of the index compacted between two turns of applying.
  private static final int INDEX_LEAVES_PER_STEP = 64;

  /// Values that may wait for bolt before writes are turned away.
  private static final long PENDING_BYTES_MAX = 256L << 20;

  /// Entries applied between two prunings of raft's log in memory.
  private static final long LOG_PRUNE_EVERY = 100;

  private final World world;
  private final MemberConfig config;
  private final StateMachine machine;
  private final ApplyLoop applyLoop;
  private final BackendLoop backendLoop;
  private final LogLoop logLoop;
  private final SnapStore snapStore;
  private final RaftLog raftLog;
  private final Queue<Runnable> compactionWaiters = new ArrayDeque<>();
  private final List<Defragmenting> defragmenters = new ArrayList<>();
  /// Commits on their way back from the backend loop. A member that stops lets them go: each holds the db open.
  private final Queue<BackendCommit> returning = new ConcurrentLinkedQueue<>();
  private long snapshotIndex;
  private long prunedAt;
  private boolean snapshotting;
  private boolean compacting;
  private boolean compactionStepping;
  private volatile boolean full;

  /// Someone who waits for a defragmentation.
  private record Defragmenting(Runnable done, Consumer<IOException> failed) {}

  /// What upkeep asks of raft's log in memory.
  interface RaftLog {
    /// Entries up to `index` are not needed any more.
    void prune(long index);
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
    this.prunedAt = snapshotIndex;
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
  void turnEnded(long index) {
    if (machine.backend().batch().opCount() >= config.backendBatchOperations()
        && machine.backend().underwayCount() == 0) {
      commit();
    }
    full = machine.backend().pendingBytes() > PENDING_BYTES_MAX;
    if (index - snapshotIndex > config.snapshotCount() && !snapshotting) {
      snapshot(index, false);
    }
    if (index - prunedAt >= LOG_PRUNE_EVERY && index > config.snapshotCatchupEntries()) {
      prunedAt = index;
      // nobody but a restart needs the log behind the disk snapshot, and a restart reads it from the WAL
      raftLog.prune(index - config.snapshotCatchupEntries());
    }
  }

  /// Hands the batch to the backend now.
  void commit() {
    backendLoop.write(machine.backend().take(), commit -> install(commit));
  }

  private void install(BackendCommit commit) {
    comeBack(
        commit,
        () -> {
          machine.keys().committed(commit);
          full = machine.backend().pendingBytes() > PENDING_BYTES_MAX;
          driveCompaction();
        });
  }

  /// From the backend loop to the apply loop, with a commit to install there.
  private void comeBack(BackendCommit commit, Runnable install) {
    returning.add(commit);
    applyLoop
        .loop()
        .execute(
            () -> {
              returning.remove(commit);
              install.run();
            });
  }

  /// Lets go of what was committed too late to be installed. Once both loops have ended.
  void discardReturning() {
    for (BackendCommit late = returning.poll(); late != null; late = returning.poll()) {
      late.discard();
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
  void defragment(Runnable done, Consumer<IOException> failed) {
    applyLoop
        .loop()
        .execute(
            () -> {
              defragmenters.add(new Defragmenting(done, failed));
              if (defragmenters.size() > 1) {
                return; // one is under way: what it brings is what was asked for
              }
              commit();
              long begun = world.clock().nanos();
              BackendSize before = machine.backend().size();
              backendLoop.defragment(
                  commit -> comeBack(commit, () -> defragmented(commit, before, begun)),
                  failure ->
                      applyLoop
                          .loop()
                          .execute(() -> takeDefragmenters().forEach(one -> one.failed().accept(failure))));
            });
  }

  private List<Defragmenting> takeDefragmenters() {
    List<Defragmenting> all = List.copyOf(defragmenters);
    defragmenters.clear();
    return all;
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
    takeDefragmenters().forEach(one -> one.done().run());
    driveCompaction();
  }

  /// A compaction was accepted: its record goes to disk at once, then the work begins.
  void compactionScheduled() {
    commit();
    driveCompaction();
  }

  /// Runs `done`, on the apply loop, when no compaction is under way. On the apply loop.
  void whenCompacted(Runnable done) {
    compactionWaiters.add(done);
    driveCompaction();
  }

  private void driveCompaction() {
    Compaction compaction = machine.keys().compaction();
    if (compaction == null) {
      compacting = false;
      for (Runnable waiter = compactionWaiters.poll(); waiter != null; waiter = compactionWaiters.poll()) {
        waiter.run();
      }
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
    if (machine.keys().compactIndexStep(INDEX_LEAVES_PER_STEP)) {
      driveCompaction();
    } else {
      applyLoop.loop().execute(this::compactIndex);
    }
  }

  private void stepCompaction(Compaction compaction) {
    long begun = world.clock().nanos();
    backendLoop.compact(
        compaction,
        commit ->
            comeBack(
                commit,
                () -> {
                  machine.keys().compacted(compaction, commit);
                  if (compaction.isFinished()) {
                    compactionStepping = false;
                    compacting = false;
                    finishedCompaction(compaction, world.clock().nanos() - begun);
                    driveCompaction();
                  } else {
                    applyLoop.loop().schedule(config.compactionSleepNanos(), () -> stepCompaction(compaction));
                  }
                }));
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
    snapshotting = false;
    snapshotIndex = index;
    LOG.atInfo().addKeyValue("snapshot-index", index).log("saved snapshot to disk");
  }
}
