package dev.kvorum.member;

import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Loop;
import dev.kvorum.env.World;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.BackendSnapshot;
import dev.kvorum.state.backend.Defragmentation;
import dev.kvorum.state.backend.WriteBatch;
import dev.kvorum.state.keys.Compaction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Owns bolt's write transaction: writes batches behind the log, deletes what compaction forgot, copies the file to
/// defragment it, and does whatever reads the file as a whole. Long work goes in bounded steps, each a task of its own,
/// so that batches get in between.
final class BackendLoop {
  private static final long DEFRAGMENT_BYTES_PER_STEP = 1L << 20;

  /// While writes come, a copying step rests for as long as it worked: half a processor and half the disk are theirs.
  private static final long DEFRAGMENT_YIELDS_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  /// Revisions looked at for each one of `--compaction-batch-limit`: etcd holds its readers and writers up for a batch,
  /// ours holds up nobody.
  private static final int COMPACTION_ROWS_PER_BATCH_ROW = 10;

  private static final long COMPACTION_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final World world;
  private final MemberConfig config;
  private final CommitObserver observer;
  private final Loop loop;
  private Backend backend;
  private @Nullable Defragmenting defragmenting;
  private boolean stopped;
  private boolean written;
  private long writtenNanos;

  /// Hears how long each commit took, in nanoseconds.
  @FunctionalInterface
  interface CommitObserver {
    void committed(long tookNanos);
  }

  BackendLoop(World world, MemberConfig config, Backend backend, CommitObserver observer, Halt halt) {
    this.world = world;
    this.config = config;
    this.backend = backend;
    this.observer = observer;
    this.loop =
        world.loops().loop("backend", Integer.MAX_VALUE, () -> {}, failure -> halt.because("backend loop", failure));
  }

  private record Defragmenting(Defragmentation work, DefragmentationEnd end) {}

  /// Hears how a defragmentation ends, on this loop.
  interface DefragmentationEnd {
    /// @param commit to be installed
    void done(BackendCommit commit);

    /// A database from the leader has taken the place of the one that was to be defragmented.
    void overtaken();

    /// The old file is still in place.
    void failed(IOException failure);
  }

  /// Something that may fail because the disk does.
  @FunctionalInterface
  private interface DiskWork {
    void run() throws IOException;
  }

  private void onDisk(String doing, DiskWork work) {
    loop.execute(
        () -> {
          try {
            work.run();
          } catch (IOException e) {
            throw new DiskFailure(doing, e);
          }
        });
  }

  /// Writes and commits; `committed` hears of it on this loop.
  ///
  /// @param owner the backend `batch` was taken from; if another has replaced it meanwhile, what was taken is in that
  void write(Backend owner, WriteBatch batch, Consumer<BackendCommit> committed) {
    onDisk(
        "commit to the backend",
        () -> {
          if (owner != backend) {
            return;
          }
          long begun = world.clock().nanos();
          written = true;
          writtenNanos = begun;
          BackendCommit commit = backend.write(batch);
          observer.committed(world.clock().nanos() - begun);
          committed.accept(commit);
        });
  }

  /// Deletes the next revisions that `compaction` forgot; `stepped` hears of it on this loop, unless another backend
  /// has replaced `owner` meanwhile.
  void compact(Backend owner, Compaction compaction, Consumer<BackendCommit> stepped) {
    onDisk(
        "compact the backend",
        () -> {
          if (stopped || owner != backend) {
            return;
          }
          BackendCommit commit = compaction.backendStep(COMPACTION_ROWS_PER_BATCH_ROW * config.compactionBatchLimit());
          if (commit == null) {
            loop.schedule(COMPACTION_RETRY_NANOS, () -> compact(owner, compaction, stepped));
          } else {
            stepped.accept(commit);
          }
        });
  }

  /// Copies the file of `owner` into one without free pages and goes over to it.
  void defragment(Backend owner, DefragmentationEnd end) {
    loop.execute(
        () -> {
          if (owner != backend) {
            end.overtaken();
            return;
          }
          try {
            defragmenting = new Defragmenting(backend.beginDefragmentation(), end);
            step(defragmenting);
          } catch (IOException e) {
            end.failed(e);
          }
        });
  }

  private void step(Defragmenting one) {
    if (defragmenting != one) {
      return; // given up
    }
    try {
      long begun = world.clock().nanos();
      BackendCommit commit = one.work().step(config.strides().defragmentKeys(), DEFRAGMENT_BYTES_PER_STEP);
      if (commit == null) {
        long ended = world.clock().nanos();
        boolean yields = written && ended - writtenNanos < DEFRAGMENT_YIELDS_NANOS;
        loop.schedule(yields ? ended - begun : 0, () -> step(one));
      } else {
        defragmenting = null;
        one.end().done(commit);
      }
    } catch (IOException e) {
      if (one.work().hasSwapped()) {
        throw new DiskFailure("defragment", e);
      }
      defragmenting = null;
      one.end().failed(e);
    }
  }

  /// @return who is to hear of it; null when none is under way
  private @Nullable Defragmenting giveUpDefragmentation() {
    Defragmenting one = defragmenting;
    if (one != null) {
      defragmenting = null;
      try {
        one.work().close();
      } catch (IOException e) {
        throw new DiskFailure("give up a defragmentation", e);
      }
    }
    return one;
  }

  /// Puts a database that a leader sent in the place of the one in use, which nobody writes to from then on.
  ///
  /// @param received its file; it takes the name `db`
  /// @param loaded hears what it holds, on this loop
  void replace(StateMachine machine, Path received, Consumer<StateMachine> loaded) {
    onDisk(
        "take over the leader's database",
        () -> {
          world.failpoints().reachDisk(Failpoint.APPLY_BEFORE_OPEN_SNAPSHOT);
          Defragmenting overtaken = giveUpDefragmentation();
          world.disk().rename(received, config.dbFile());
          world.disk().syncDirectory(config.snapDir());
          StateMachine fresh = machine.openReceived(world.disk(), config.dbFile());
          world.failpoints().reachDisk(Failpoint.APPLY_AFTER_OPEN_SNAPSHOT);
          backend = fresh.backend();
          loaded.accept(fresh);
          if (overtaken != null) {
            overtaken.end().overtaken();
          }
        });
  }

  /// The file's hash, on this loop.
  void hash(Consumer<@Nullable Integer> done, Consumer<IOException> failed) {
    loop.execute(
        () -> {
          try {
            done.accept(backend.hash());
          } catch (IOException e) {
            failed.accept(e);
          }
        });
  }

  /// Hands out the file as it is once everything given to [#write] before is in it.
  void openSnapshot(Consumer<BackendSnapshot> opened) {
    loop.execute(() -> opened.accept(backend.openSnapshot()));
  }

  /// Runs on this loop after everything it was given before.
  void execute(Runnable task) {
    loop.execute(task);
  }

  void schedule(long delayNanos, Runnable task) {
    loop.schedule(delayNanos, task);
  }

  /// Whoever waits for a defragmentation does not hear of its end.
  void stop() {
    loop.execute(
        () -> {
          stopped = true;
          giveUpDefragmentation();
        });
    loop.stop();
  }

  boolean awaitStopped(long timeoutNanos) throws InterruptedException {
    return loop.awaitStopped(timeoutNanos);
  }
}
