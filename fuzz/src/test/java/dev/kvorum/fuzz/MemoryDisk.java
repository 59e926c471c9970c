package dev.kvorum.fuzz;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// Files in memory and nothing else: made and thrown away thousands of times a second, which the simulated disk, with
/// its record of every write, is not for.
final class MemoryDisk implements Disk {
  private static final byte[] NONE = {};

  /// What a runaway writer meets, long before memory is full.
  private static final long FILE_BYTES_MAX = 64 << 20;

  private final Map<Path, Content> files = new TreeMap<>();
  private final TreeSet<Path> directories = new TreeSet<>();

  private static final class Content {
    byte[] bytes = NONE;
    int size;
    boolean locked;

    /// What longer ones replaced, still mapped by somebody.
    final List<byte[]> mappedBefore = new ArrayList<>();

    boolean mapped;

    void reserve(long capacity) throws java.io.IOException {
      if (capacity > FILE_BYTES_MAX) {
        throw new java.io.IOException("no space left on device");
      }
      if (capacity > bytes.length) {
        byte[] old = bytes;
        bytes = Arrays.copyOf(old, (int) Math.min(FILE_BYTES_MAX, Math.max(capacity, old.length * 2L)));
        if (mapped) {
          mappedBefore.add(old);
          mapped = false;
        }
      }
    }
  }

  /// Puts a file there, or replaces it. Takes the array over.
  void put(Path path, byte[] bytes) {
    Content content = new Content();
    content.bytes = bytes;
    content.size = bytes.length;
    files.put(path, content);
  }

  byte[] get(Path path) {
    Content content = files.get(path);
    return Arrays.copyOf(content.bytes, content.size);
  }

  @Override
  public DiskFile open(Path file, OpenMode mode) throws java.io.IOException {
    Content content = files.get(file);
    if (content != null && mode == OpenMode.CREATE_NEW) {
      throw new FileAlreadyExistsException(file.toString());
    }
    if (content == null) {
      if (mode == OpenMode.READ || mode == OpenMode.WRITE) {
        throw new NoSuchFileException(file.toString());
      }
      content = new Content();
      files.put(file, content);
    }
    return new MemoryFile(file, content, mode == OpenMode.READ);
  }

  @Override
  public boolean exists(Path path) {
    return files.containsKey(path) || directories.contains(path);
  }

  @Override
  public boolean isDirectory(Path path) {
    return directories.contains(path);
  }

  @Override
  public List<String> list(Path directory) {
    return files.keySet().stream()
        .filter(file -> directory.equals(file.getParent()))
        .map(file -> file.getFileName().toString())
        .toList();
  }

  @Override
  public void createDirectories(Path directory) {
    directories.add(directory);
  }

  @Override
  public void rename(Path from, Path to) throws java.io.IOException {
    if (directories.remove(from)) {
      directories.add(to);
      for (Path file : List.copyOf(files.keySet())) {
        if (from.equals(file.getParent())) {
          files.put(to.resolve(file.getFileName()), files.remove(file));
        }
      }
      return;
    }
    Content content = files.remove(from);
    if (content == null) {
      throw new NoSuchFileException(from.toString());
    }
    files.put(to, content);
  }

  @Override
  public boolean delete(Path path) {
    return files.remove(path) != null | directories.remove(path);
  }

  @Override
  public void deleteTree(Path path) {
    files.keySet().removeIf(file -> file.startsWith(path));
    directories.remove(path);
  }

  @Override
  public void syncDirectory(Path directory) {}

  private static final class MemoryFile implements DiskFile {
    private final Path path;
    private final Content content;
    private final boolean readOnly;
    private boolean holdsLock;

    MemoryFile(Path path, Content content, boolean readOnly) {
      this.path = path;
      this.content = content;
      this.readOnly = readOnly;
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public int read(ByteBuffer dst, long position) {
      if (position >= content.size) {
        return -1;
      }
      int n = (int) Math.min(dst.remaining(), content.size - position);
      dst.put(content.bytes, (int) position, n);
      return n;
    }

    @Override
    public void write(ByteBuffer src, long position) throws java.io.IOException {
      int n = src.remaining();
      content.reserve(position + n);
      src.get(content.bytes, (int) position, n);
      content.size = Math.max(content.size, (int) position + n);
      for (byte[] old : content.mappedBefore) {
        int seen = (int) Math.min(n, old.length - position);
        if (seen > 0) {
          System.arraycopy(content.bytes, (int) position, old, (int) position, seen);
        }
      }
    }

    @Override
    public void write(ByteBuffer[] sources, long position) throws java.io.IOException {
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
    public void resize(long size) throws java.io.IOException {
      content.reserve(size);
      if (size < content.size) {
        Arrays.fill(content.bytes, (int) size, content.size, (byte) 0);
      }
      content.size = (int) size;
    }

    @Override
    public void allocate(long size) throws java.io.IOException {
      if (size > content.size) {
        resize(size);
      }
    }

    @Override
    public void sync() {}

    /// Of a file opened for reading it ends where the file does, for nothing behind is ever to be read; otherwise it
    /// reaches as far as asked for, since the file may grow under it.
    @Override
    public Mapping map(long length) throws java.io.IOException {
      long visible = readOnly ? Math.min(length, content.size) : length;
      content.reserve(visible);
      content.mapped = true;
      MemorySegment segment = MemorySegment.ofArray(content.bytes).asSlice(0, visible).asReadOnly();
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
      return tryFlock(true);
    }

    @Override
    public void close() {
      if (holdsLock) {
        holdsLock = false;
        content.locked = false;
      }
    }
  }
}
