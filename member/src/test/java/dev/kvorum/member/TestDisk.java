package dev.kvorum.member;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.RealDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The machine's disk, which can be held still to take an image of it, as a killed process leaves it, and can be told to
/// fail its syncs.
final class TestDisk implements Disk {
  private final Disk real = new RealDisk();
  private final ReadWriteLock change = new ReentrantReadWriteLock();
  private volatile Predicate<Path> syncFails = path -> false;

  /// From now on a sync of a file that `which` holds of fails.
  void failSyncs(Predicate<Path> which) {
    syncFails = which;
  }

  private interface Work<T> {
    T run() throws IOException;
  }

  private interface Change {
    void run() throws IOException;
  }

  private <T> T changing(Work<T> work) throws IOException {
    change.readLock().lock();
    try {
      return work.run();
    } finally {
      change.readLock().unlock();
    }
  }

  private void change(Change work) throws IOException {
    changing(
        () -> {
          work.run();
          return null;
        });
  }

  /// Copies a member's directory as it is at one moment; spare segments are left out.
  void image(Path from, Path to) throws IOException {
    change.writeLock().lock();
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else if (!path.toString().endsWith(".tmp")) {
          copy(path, target);
        }
      }
    } finally {
      change.writeLock().unlock();
    }
  }

  /// Segments are zeros for the most part: those need not be written.
  private static void copy(Path from, Path to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
    byte[] zeros = new byte[1 << 20];
    try (FileChannel in = FileChannel.open(from);
        FileChannel out = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      long at = 0;
      for (int n = in.read(buffer, at); n > 0; n = in.read(buffer, at)) {
        if (!java.util.Arrays.equals(buffer.array(), 0, n, zeros, 0, n)) {
          out.write(buffer.flip(), at);
        }
        at += n;
        buffer.clear();
      }
      if (out.size() < at) {
        out.write(ByteBuffer.wrap(new byte[1]), at - 1);
      }
    }
  }

  @Override
  public DiskFile open(Path file, OpenMode mode) throws IOException {
    return changing(() -> new TestFile(real.open(file, mode)));
  }

  @Override
  public boolean exists(Path path) {
    return real.exists(path);
  }

  @Override
  public boolean isDirectory(Path path) {
    return real.isDirectory(path);
  }

  @Override
  public List<String> list(Path directory) throws IOException {
    return real.list(directory);
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    change(() -> real.createDirectories(directory));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    change(() -> real.rename(from, to));
  }

  @Override
  public boolean delete(Path path) throws IOException {
    return changing(() -> real.delete(path));
  }

  @Override
  public void deleteTree(Path path) throws IOException {
    change(() -> real.deleteTree(path));
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    real.syncDirectory(directory);
  }

  private final class TestFile implements DiskFile {
    private final DiskFile file;

    TestFile(DiskFile file) {
      this.file = file;
    }

    @Override
    public Path path() {
      return file.path();
    }

    @Override
    public int read(ByteBuffer dst, long position) throws IOException {
      return file.read(dst, position);
    }

    @Override
    public void write(ByteBuffer src, long position) throws IOException {
      change(() -> file.write(src, position));
    }

    @Override
    public void write(ByteBuffer[] sources, long position) throws IOException {
      change(() -> file.write(sources, position));
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public void resize(long size) throws IOException {
      change(() -> file.resize(size));
    }

    @Override
    public void allocate(long size) throws IOException {
      change(() -> file.allocate(size));
    }

    @Override
    public void sync() throws IOException {
      if (syncFails.test(path())) {
        throw new IOException("the disk is gone");
      }
      file.sync();
    }

    @Override
    public Mapping map(long length) throws IOException {
      return file.map(length);
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
