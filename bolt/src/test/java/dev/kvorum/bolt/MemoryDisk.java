package dev.kvorum.bolt;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// A disk that forgets: [#crash] leaves of each file what was synced, and of later writes some sectors.
final class MemoryDisk implements Disk {
  private static final long FILE_BYTES_MAX = 16 << 20;
  private static final int SECTOR_BYTES = 512;

  private final Map<Path, Content> files = new TreeMap<>();

  /// Writes and syncs left before one fails; negative for never.
  int operationsUntilFailure = -1;

  /// What one file holds.
  final class Content {
    final MemorySegment bytes = Arena.ofAuto().allocate(FILE_BYTES_MAX);
    final List<long[]> unsynced = new ArrayList<>();
    byte[] durable = new byte[0];
    long size;
    boolean locked;
    int syncs;

    byte[] copy() {
      return bytes.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE);
    }

    void set(byte[] content) {
      bytes.asSlice(0, size).fill((byte) 0);
      MemorySegment.copy(content, 0, bytes, ValueLayout.JAVA_BYTE, 0, content.length);
      size = content.length;
      durable = content;
      unsynced.clear();
      locked = false;
    }

    /// Of the unsynced sectors each survives or not.
    void crash(SplittableRandom random) {
      byte[] now = copy();
      byte[] left = Arrays.copyOf(durable, random.nextBoolean() ? now.length : durable.length);
      for (long[] write : unsynced) {
        for (long sector = write[0] / SECTOR_BYTES * SECTOR_BYTES; sector < write[1]; sector += SECTOR_BYTES) {
          int end = (int) Math.min(sector + SECTOR_BYTES, left.length);
          if (sector < end && random.nextBoolean()) {
            System.arraycopy(now, (int) sector, left, (int) sector, end - (int) sector);
          }
        }
      }
      set(left);
    }
  }

  Content content(Path file) {
    return files.get(file);
  }

  void crash(SplittableRandom random) {
    operationsUntilFailure = -1;
    files.values().forEach(content -> content.crash(random));
  }

  private void operation() throws IOException {
    if (operationsUntilFailure == 0) {
      throw new IOException("injected failure");
    }
    operationsUntilFailure--;
  }

  @Override
  public DiskFile open(Path file, OpenMode mode) throws IOException {
    Content content = files.get(file);
    if (content == null) {
      if (mode == OpenMode.READ || mode == OpenMode.WRITE) {
        throw new NoSuchFileException(file.toString());
      }
      content = new Content();
      files.put(file, content);
    }
    return new MemoryFile(file, content);
  }

  @Override
  public boolean exists(Path path) {
    return files.containsKey(path);
  }

  @Override
  public boolean isDirectory(Path path) {
    return false;
  }

  @Override
  public List<String> list(Path directory) {
    return files.keySet().stream().map(Path::toString).toList();
  }

  @Override
  public void createDirectories(Path directory) {}

  @Override
  public void rename(Path from, Path to) {
    files.put(to, files.remove(from));
  }

  @Override
  public boolean delete(Path path) {
    return files.remove(path) != null;
  }

  @Override
  public void deleteTree(Path path) {
    files.remove(path);
  }

  @Override
  public void syncDirectory(Path directory) {}

  private final class MemoryFile implements DiskFile {
    private final Path path;
    private final Content content;
    private boolean holdsLock;

    MemoryFile(Path path, Content content) {
      this.path = path;
      this.content = content;
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public int read(ByteBuffer dst, long position) {
      int n = (int) Math.min(dst.remaining(), content.size - position);
      if (n <= 0) {
        return -1;
      }
      dst.put(content.bytes.asSlice(position, n).asByteBuffer());
      return n;
    }

    @Override
    public void write(ByteBuffer src, long position) throws IOException {
      int n = src.remaining();
      content.bytes.asSlice(position, n).asByteBuffer().put(src);
      content.size = Math.max(content.size, position + n);
      content.unsynced.add(new long[] {position, position + n});
      operation();
    }

    @Override
    public void write(ByteBuffer[] sources, long position) throws IOException {
      for (ByteBuffer source : sources) {
        int n = source.remaining();
        write(source, position);
        position += n;
      }
    }

    @Override
    public long size() {
      return content.size;
    }

    @Override
    public void resize(long size) {
      content.size = size;
    }

    @Override
    public void allocate(long size) {
      content.size = Math.max(content.size, size);
    }

    @Override
    public void sync() throws IOException {
      operation();
      content.syncs++;
      content.durable = content.copy();
      content.unsynced.clear();
    }

    @Override
    public Mapping map(long length) {
      MemorySegment segment = content.bytes.asSlice(0, Math.min(length, FILE_BYTES_MAX)).asReadOnly();
      return new Mapping() {
        @Override
        public MemorySegment segment() {
          return segment;
        }

        @Override
        public void close() {}
      };
    }

    @Override
    public boolean tryFlock(boolean exclusive) {
      if (content.locked && !holdsLock) {
        return false;
      }
      holdsLock = exclusive;
      content.locked |= exclusive;
      return true;
    }

    @Override
    public boolean tryRecordLock() {
      return true;
    }

    @Override
    public void close() {
      if (holdsLock) {
        content.locked = false;
      }
    }
  }
}
