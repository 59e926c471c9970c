package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// One step of writing zeros ahead of the log's tail, run by a worker.
///
/// It opens the file for itself: the kernel reports a failed write once to each opening, and the log must not have its
/// report taken away. The log loop asks [#yieldTo] before it writes into the step's range, so zeros never land on
/// records.
final class WriteAhead implements Runnable {
  private enum State {
    WAITING,
    WRITING,
    /// Out of the log's way; only the sync is still to come.
    WRITTEN,
    DONE,
    FAILED,
    CALLED_OFF
  }

  private static final int CHUNK_BYTES = 256 << 10;

  private final Disk disk;
  private final Path path;
  private final long start;
  private final int length;
  private final boolean sync;
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private volatile @Nullable IOException failure;

  WriteAhead(Disk disk, Path path, long start, int length, boolean sync) {
    this.disk = disk;
    this.path = path;
    this.start = start;
    this.length = length;
    this.sync = sync;
  }

  @Override
  public void run() {
    if (!state.compareAndSet(State.WAITING, State.WRITING)) {
      return;
    }
    State end = State.FAILED;
    try (DiskFile file = disk.open(path, Disk.OpenMode.WRITE)) {
      writeZeros(file);
      state.set(State.WRITTEN);
      if (sync) {
        file.sync();
      }
      end = State.DONE;
    } catch (IOException e) {
      failure = e;
    } finally {
      state.set(end);
    }
  }

  private void writeZeros(DiskFile file) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect(Math.min(length, CHUNK_BYTES));
    for (long at = start; at < start + length; at += zeros.capacity()) {
      file.write(zeros.clear().limit((int) Math.min(zeros.capacity(), start + length - at)), at);
    }
  }

  /// Whether another step may follow. A failed one must first be heard of.
  boolean isSpent() {
    State now = state.get();
    return now == State.DONE || now == State.CALLED_OFF;
  }

  /// On the log loop, which is about to write up to `end`: calls the step off if it would be in the way, or waits out
  /// its write if that goes on just now.
  void yieldTo(long end) {
    if (end <= start || state.compareAndSet(State.WAITING, State.CALLED_OFF)) {
      return;
    }
    while (state.get() == State.WRITING) {
      Thread.yield();
    }
  }

  /// What went wrong, or null.
  @Nullable IOException failure() {
    return failure;
  }
}
