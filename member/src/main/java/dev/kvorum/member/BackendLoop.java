package dev.kvorum.member;

import dev.kvorum.env.Loop;
import dev.kvorum.env.World;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.BackendSnapshot;
import dev.kvorum.state.backend.Defragmentation;
import dev.kvorum.state.backend.WriteBatch;
import dev.kvorum.state.keys.Compaction;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Owns bolt's write transaction: writes batches behind the log, deletes what compaction forgot, copies the file to
/// defragment it, and does whatever reads the file as a whole. Long work goes in bounded steps, each a task of its own,
/// so that batches get in between.
final class BackendLoop {
  private static final int DEFRAGMENT_KEYS_PER_STEP = 2_000;
  private static final long DEFRAGMENT_BYTES_PER_STEP = 1L << 20;
  private static final long COMPACTION_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final World world;
  private final MemberConfig config;
  private final Backend backend;
  private final CommitObserver observer;
  private final Loop loop;
  private boolean stopped;

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
  void write(WriteBatch batch, Consumer<BackendCommit> committed) {
    onDisk(
        "commit to the backend",
        () -> {
          long begun = world.clock().nanos();
          BackendCommit commit = backend.write(batch);
          observer.committed(world.clock().nanos() - begun);
          committed.accept(commit);
        });
  }

  /// Deletes the next revisions that `compaction` forgot; `stepped` hears of it on this loop.
  void compact(Compaction compaction, Consumer<BackendCommit> stepped) {
    onDisk(
        "compact the backend",
        () -> {
          if (stopped) {
            return;
          }
          BackendCommit commit = compaction.backendStep(config.compactionBatchLimit());
          if (commit == null) {
            loop.schedule(COMPACTION_RETRY_NANOS, () -> compact(compaction, stepped));
          } else {
            stepped.accept(commit);
          }
        });
  }

  /// Copies the file into one without free pages and goes over to it.
  ///
  /// @param finished hears the commit to install, or a failure that left the old file in place; on this loop
  void defragment(Consumer<BackendCommit> done, Consumer<IOException> failed) {
    loop.execute(
        () -> {
          try {
            step(backend.beginDefragmentation(), done, failed);
          } catch (IOException e) {
            failed.accept(e);
          }
        });
  }

  private void step(Defragmentation defragmentation, Consumer<BackendCommit> done, Consumer<IOException> failed) {
    if (stopped) {
      failed.accept(new IOException("the member stops"));
      return;
    }
    try {
      BackendCommit commit = defragmentation.step(DEFRAGMENT_KEYS_PER_STEP, DEFRAGMENT_BYTES_PER_STEP);
      if (commit == null) {
        loop.execute(() -> step(defragmentation, done, failed));
      } else {
        done.accept(commit);
      }
    } catch (IOException e) {
      if (defragmentation.hasSwapped()) {
        throw new DiskFailure("defragment", e);
      }
      failed.accept(e);
    }
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

  void stop() {
    loop.execute(() -> stopped = true);
    loop.stop();
  }

  boolean awaitStopped(long timeoutNanos) throws InterruptedException {
    return loop.awaitStopped(timeoutNanos);
  }
}
