package dev.kvorum.sim.world;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.sim.PowerLoss;
import dev.kvorum.env.sim.SimDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A [SimDisk] as one process sees it: every operation takes time, in which the other loops go on, and power lost
/// during one ends the process there.
public final class LatentDisk implements Disk {
  /// Simulated databases stay far below; a read past it fails loudly.
  private static final long MAP_BYTES_MAX = 8 << 20;

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(1 << 20);

  private final SimDisk disk;
  private final SimHost host;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Speed speed;
  private final List<DiskFile.Mapping> mappings = new ArrayList<>();
  private long killAtOperation = Long.MAX_VALUE;
  private boolean stalls = true;

  /// How long operations take, in nanoseconds; each time is drawn around these.
  ///
  /// @param stallPerMille how many of a thousand syncs take `stallNanos` more
  public record Speed(long writeNanos, long syncNanos, int stallPerMille, long stallNanos) {
    public static final Speed QUICK = new Speed(5_000, 300_000, 0, 0);
  }

  /// A log's next segment, being made: fresh, so it reads as zeros everywhere.
  private boolean isSpareSegment(Path path) {
    return host.isCurrent() && path.toString().endsWith(".tmp") && path.toString().contains("/wal/");
  }

  /// Disk work that may fail.
  private interface Work<T> {
    T run() throws IOException;
  }

  public LatentDisk(SimDisk disk, SimHost host, SplittableRandom random, Speed speed) {
    this.disk = disk;
    this.host = host;
    this.scheduler = host.scheduler();
    this.random = random;
    this.speed = speed;
    disk.onDelay(scheduler::spend);
  }

  /// The process is killed as soon as its disk has done so many operations in all.
  public void killAt(long operation) {
    killAtOperation = operation;
  }

  /// It stalls no more. A leader whose disk stalls is soon none, and the next gives all leases their time again.
  public void beFair() {
    stalls = false;
  }

  /// After its process is gone: gives memory back.
  public void discard() {
    mappings.forEach(DiskFile.Mapping::close);
    mappings.clear();
  }

  private <T> T changing(String what, Path path, long bytes, long nanos, Work<T> work) throws IOException {
    if (!host.isCurrent()) {
      return work.run(); // a judge looks at what a dead member left
    }
    long takes = nanos / 2 + random.nextLong(nanos + 1) + bytes / 2;
    if (isWriteAhead(what, path)) {
      scheduler.spend(takes);
    } else {
      scheduler.sleep(takes);
    }
    scheduler.trace().event(scheduler.now(), host.name(), what, path.hashCode(), bytes);
    if (scheduler.trace().isTold()) {
      scheduler.trace().aside(scheduler.now(), host.name(), disk.operations() + " " + what + " " + path);
    }
    T done = guarded(work);
    if (disk.operations() >= killAtOperation) {
      host.kill("killed behind operation " + disk.operations());
    }
    return done;
  }

  /// The log waits out a worker that zeroes blocks ahead of it, spinning: nobody else would get to run.
  private boolean isWriteAhead(String what, Path path) {
    Strand current = scheduler.current();
    return current != null
        && current.name.endsWith("/worker")
        && !what.equals("sync")
        && path.toString().endsWith(".wal");
  }

  private <T> T guarded(Work<T> work) throws IOException {
    try {
      return work.run();
    } catch (PowerLoss off) {
      host.kill("power lost at operation " + disk.operations());
      throw off;
    }
  }

  private <T> T reading(Work<T> work) throws IOException {
    if (host.isCurrent()) {
      scheduler.spend(500);
      if (random.nextInt(16) == 0) {
        scheduler.sleep(random.nextLong(20_000));
      }
    }
    return guarded(work);
  }

  private void change(String what, Path path, long bytes, long nanos, Change work) throws IOException {
    changing(
        what,
        path,
        bytes,
        nanos,
        () -> {
          work.run();
          return true;
        });
  }

  private interface Change {
    void run() throws IOException;
  }

  private long syncNanos() {
    boolean stall = random.nextInt(1_000) < speed.stallPerMille && stalls;
    return speed.syncNanos + (stall ? speed.stallNanos : 0);
  }

  @Override
  public DiskFile open(Path file, OpenMode mode) throws IOException {
    DiskFile opened =
        mode == OpenMode.CREATE || mode == OpenMode.CREATE_NEW
            ? changing("open", file, 0, speed.writeNanos, () -> disk.open(file, mode))
            : reading(() -> disk.open(file, mode));
    return new LatentFile(opened);
  }

  @Override
  public boolean exists(Path path) {
    return disk.exists(path);
  }

  @Override
  public boolean isDirectory(Path path) {
    return disk.isDirectory(path);
  }

  @Override
  public List<String> list(Path directory) throws IOException {
    return reading(() -> disk.list(directory));
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    change("mkdir", directory, 0, speed.writeNanos, () -> disk.createDirectories(directory));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    change("rename", from, 0, speed.writeNanos, () -> disk.rename(from, to));
  }

  @Override
  public boolean delete(Path path) throws IOException {
    return changing("delete", path, 0, speed.writeNanos, () -> disk.delete(path));
  }

  @Override
  public void deleteTree(Path path) throws IOException {
    change("delete-tree", path, 0, speed.writeNanos, () -> disk.deleteTree(path));
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    change("sync-directory", directory, 0, syncNanos(), () -> disk.syncDirectory(directory));
  }

  private final class LatentFile implements DiskFile {
    private final DiskFile file;

    LatentFile(DiskFile file) {
      this.file = file;
    }

    @Override
    public Path path() {
      return file.path();
    }

    @Override
    public int read(ByteBuffer dst, long position) throws IOException {
      return reading(() -> file.read(dst, position));
    }

    @Override
    public void write(ByteBuffer src, long position) throws IOException {
      boolean isLarge = src.remaining() >= ZEROS.capacity() / 8 && src.remaining() <= ZEROS.capacity();
      if (isLarge && isSpareSegment(path()) && random.nextInt(16) > 0) {
        ByteBuffer zeros = ZEROS.slice(0, src.remaining());
        if (src.mismatch(zeros) < 0) {
          scheduler.spend(src.remaining() / 2);
          src.position(src.limit()); // zeros into a new file of zeros: half of the simulator's time went there
          return;
        }
      }
      change("write", path(), src.remaining(), speed.writeNanos, () -> file.write(src, position));
    }

    @Override
    public void write(ByteBuffer[] sources, long position) throws IOException {
      long bytes = 0;
      for (ByteBuffer source : sources) {
        bytes += source.remaining();
      }
      change("write", path(), bytes, speed.writeNanos, () -> file.write(sources, position));
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public void resize(long size) throws IOException {
      change("resize", path(), 0, speed.writeNanos, () -> file.resize(size));
    }

    @Override
    public void allocate(long size) throws IOException {
      change("allocate", path(), 0, speed.writeNanos, () -> file.allocate(size));
    }

    @Override
    public void sync() throws IOException {
      change("sync", path(), 0, syncNanos(), file::sync);
    }

    @Override
    public Mapping map(long length) throws IOException {
      Mapping mapping = file.map(Math.min(length, MAP_BYTES_MAX));
      mappings.add(mapping);
      return mapping;
    }

    @Override
    public boolean tryFlock(boolean exclusive) throws IOException {
      return file.tryFlock(exclusive);
    }

    @Override
    public boolean tryRecordLock() throws IOException {
      return file.tryRecordLock();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
