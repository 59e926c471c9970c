package dev.kvorum.member;

import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Loop;
import dev.kvorum.env.World;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.wal.SnapStore;
import dev.kvorum.wal.Wal;
import dev.kvorum.wal.WalReading;
import dev.kvorum.wal.WalSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The only writer of the WAL. Batches that arrive while a sync runs share the next one (group commit).
///
/// Nothing is reported persisted before its sync returned, and a failed sync is never retried: it halts the member.
final class LogLoop {
  /// How far the tail's blocks are zero-written ahead, a step at a time, on a worker.
  private static final int WRITE_AHEAD_BYTES = 4 << 20;

  private static final long PURGE_EVERY_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final World world;
  private final MemberConfig config;
  private final Wal wal;
  private final SnapStore snapStore;
  private final SyncObserver observer;
  private final Loop loop;
  private List<Message.StorageAppend> unsynced = new ArrayList<>();
  private Consumer<List<Message.StorageAppend>> persisted = done -> {};
  private long markedIndex;
  private boolean preparing;
  private boolean closed;

  /// Hears how long each sync took, in nanoseconds.
  @FunctionalInterface
  interface SyncObserver {
    void synced(long tookNanos);
  }

  LogLoop(World world, MemberConfig config, Wal wal, SnapStore snapStore, SyncObserver observer, Halt halt) {
    this.world = world;
    this.config = config;
    this.wal = wal;
    this.snapStore = snapStore;
    this.observer = observer;
    this.loop =
        world.loops().loop("log", Integer.MAX_VALUE, this::syncBatch, failure -> halt.because("log loop", failure));
  }

  /// @param persistedSink hears, on this loop, which appends have become durable, in order
  void start(Consumer<List<Message.StorageAppend>> persistedSink) {
    loop.execute(
        () -> {
          persisted = persistedSink;
          prepareSegments();
        });
    loop.schedule(PURGE_EVERY_NANOS, this::purge);
  }

  void append(Message.StorageAppend message) {
    loop.execute(
        () -> {
          try {
            if (!message.snapshot().isEmpty()) {
              mark(message.snapshot());
            }
            world.failpoints().reachDisk(Failpoint.RAFT_BEFORE_SAVE);
            wal.append(message.hardState(), message.entries());
          } catch (IOException e) {
            throw new DiskFailure("append to the log", e);
          }
          unsynced.add(message);
        });
  }

  /// A snapshot from the leader, whose database is on disk already: the file that says what it is, then the log's mark,
  /// from which a restart goes on.
  private void mark(Snapshot snapshot) throws IOException {
    world.failpoints().reachDisk(Failpoint.RAFT_BEFORE_SAVE_SNAP);
    snapStore.save(snapshot);
    world.failpoints().reachDisk(Failpoint.RAFT_BEFORE_WAL_SAVE_SNAPSHOT);
    wal.saveSnapshot(new WalSnapshot(snapshot.index(), snapshot.term(), snapshot.confState()));
    world.failpoints().reachDisk(Failpoint.RAFT_AFTER_SAVE_SNAP);
    markedIndex = snapshot.index();
  }

  private void syncBatch() {
    if (unsynced.isEmpty()) {
      return;
    }
    try {
      if (wal.needsSync()) {
        world.failpoints().reachDisk(Failpoint.WAL_BEFORE_SYNC);
        long begun = world.clock().nanos();
        wal.sync();
        world.failpoints().reachDisk(Failpoint.WAL_AFTER_SYNC);
        observer.synced(world.clock().nanos() - begun);
      }
    } catch (IOException e) {
      throw new DiskFailure("sync the log", e);
    }
    List<Message.StorageAppend> done = unsynced;
    unsynced = new ArrayList<>();
    world.failpoints().reach(Failpoint.RAFT_AFTER_SAVE);
    releaseBehindReceived(done);
    persisted.accept(done);
    prepareSegments();
  }

  private void releaseBehindReceived(List<Message.StorageAppend> done) {
    for (Message.StorageAppend message : done) {
      if (!message.snapshot().isEmpty()) {
        try {
          wal.releaseTo(message.snapshot().index());
          world.failpoints().reachDisk(Failpoint.RAFT_AFTER_WAL_RELEASE);
        } catch (IOException e) {
          throw new DiskFailure("release the log behind a snapshot", e);
        }
      }
    }
  }

  /// Records a snapshot whose `.snap` file is durable already, then lets older segments go. `done` runs on this loop.
  void saveSnapshot(WalSnapshot snapshot, Runnable done) {
    loop.execute(
        () -> {
          if (snapshot.index() < markedIndex) {
            return; // the leader has sent a newer one meanwhile
          }
          markedIndex = snapshot.index();
          try {
            wal.saveSnapshot(snapshot);
            wal.releaseTo(snapshot.index());
            snapStore.releaseDatabasesBefore(snapshot.index());
          } catch (IOException e) {
            throw new DiskFailure("record a snapshot in the log", e);
          }
          done.run();
        });
  }

  /// Keeps the disk's slow work (new segments, zeroed blocks) off this loop.
  private void prepareSegments() {
    if (preparing) {
      return;
    }
    Runnable ahead = wal.writeAhead(WRITE_AHEAD_BYTES);
    if (ahead == null && !wal.wantsNext()) {
      return;
    }
    preparing = true;
    boolean taken =
        onWorker(
            () -> {
              try {
                if (ahead != null) {
                  ahead.run();
                } else {
                  wal.prepareNext();
                }
                loop.execute(
                    () -> {
                      preparing = false;
                      prepareSegments();
                    });
              } catch (IOException e) {
                // the log loop makes the segment itself when it comes to need it, and meets the error there
                loop.execute(() -> preparing = false);
              }
            });
    if (!taken) {
      preparing = false;
      if (ahead != null) {
        ahead.run(); // a step begun must end, or no other may begin
      }
    }
  }

  /// @return false when the workers have more than enough to do: the work must be done otherwise, or later
  private boolean onWorker(Runnable work) {
    try {
      world.loops().workers().execute(work);
      return true;
    } catch (RejectedExecutionException full) {
      return false;
    }
  }

  private void purge() {
    if (closed) {
      return;
    }
    onWorker(
        () -> {
          try {
            WalReading.purge(world.disk(), config.walDir(), config.maxWals());
            snapStore.purge(config.maxSnapshots());
          } catch (IOException e) {
            // files stay and the next pass tries again
          }
        });
    loop.schedule(PURGE_EVERY_NANOS, this::purge);
  }

  /// Ends the loop after what it was given is durable. The log is closed by [#close] once the loop has ended.
  void stop() {
    loop.execute(() -> closed = true);
    loop.stop();
  }

  /// @return false when the loop has not ended in time; the log is then left to it
  boolean close(long timeoutNanos) throws IOException, InterruptedException {
    if (!loop.awaitStopped(timeoutNanos)) {
      return false;
    }
    wal.close();
    return true;
  }
}
