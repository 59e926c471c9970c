package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/// A disk in memory that can lose power: before a chosen change, after which it serves nobody until [#restart].
///
/// What was synced survives. Of what was not, each sector and each file's length survives by itself or not; a directory
/// keeps all of its changes since its last sync or none.
final class CrashDisk implements Disk {
  private static final int SECTOR_BYTES = 512;

  static final class PowerCut extends IOException {
    private static final long serialVersionUID = 1L;
  }

  private sealed interface Node permits Directory, File {}

  private static final class Directory implements Node {
    TreeMap<String, Node> live = new TreeMap<>();
    TreeMap<String, Node> durable = new TreeMap<>();
  }

  private static final class File implements Node {
    byte[] live = new byte[0];
    byte[] durable = new byte[0];
    Object lockedBy;
  }

  private final Directory root = new Directory();
  private long changes;
  private long cutAt = Long.MAX_VALUE;
  private boolean syncsFail;

  /// Power goes at change number `change`, counted from here on.
  void cutPowerAt(long change) {
    changes = 0;
    cutAt = change;
  }

  long changes() {
    return changes;
  }

  /// From here on syncs fail, as a broken disk's do.
  void failSyncs() {
    syncsFail = true;
  }

  /// Power is back: all handles and locks are gone, and so is some of what was not synced.
  void restart(RandomGenerator random) {
    cutAt = Long.MAX_VALUE;
    restart(root, random);
  }

  private static void restart(Directory directory, RandomGenerator random) {
    directory.live = new TreeMap<>(random.nextBoolean() ? directory.live : directory.durable);
    directory.durable = new TreeMap<>(directory.live);
    for (Node node : directory.live.values()) {
      switch (node) {
        case Directory child -> restart(child, random);
        case File file -> {
          file.live = survivors(file, random);
          file.durable = file.live.clone();
          file.lockedBy = null;
        }
      }
    }
  }

  private static byte[] survivors(File file, RandomGenerator random) {
    int length = random.nextBoolean() ? file.live.length : file.durable.length;
    byte[] kept = Arrays.copyOf(file.durable, length);
    for (int at = 0; at < Math.min(length, file.live.length); at += SECTOR_BYTES) {
      if (random.nextBoolean()) {
        int end = Math.min(at + SECTOR_BYTES, Math.min(length, file.live.length));
        System.arraycopy(file.live, at, kept, at, end - at);
      }
    }
    return kept;
  }

  private void change() throws PowerCut {
    if (changes++ >= cutAt) {
      throw new PowerCut();
    }
  }

  private Directory directory(Path path) throws IOException {
    Directory at = root;
    for (Path name : path) {
      Node next = at.live.get(name.toString());
      if (next == null) {
        throw new NoSuchFileException(path.toString());
      }
      if (!(next instanceof Directory child)) {
        throw new NotDirectoryException(path.toString());
      }
      at = child;
    }
    return at;
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }

  private Node node(Path path) throws IOException {
    return directory(path.getParent()).live.get(name(path));
  }

  @Override
  public DiskFile open(Path path, OpenMode mode) throws IOException {
    Directory parent = directory(path.getParent());
    Node node = parent.live.get(name(path));
    if (node == null) {
      if (mode == OpenMode.READ || mode == OpenMode.WRITE) {
        throw new NoSuchFileException(path.toString());
      }
      change();
      node = new File();
      parent.live.put(name(path), node);
    } else if (mode == OpenMode.CREATE_NEW) {
      throw new FileAlreadyExistsException(path.toString());
    }
    return new Handle(path, (File) node);
  }

  @Override
  public boolean exists(Path path) {
    try {
      return node(path) != null;
    } catch (IOException absent) {
      return false;
    }
  }

  @Override
  public boolean isDirectory(Path path) {
    try {
      return node(path) instanceof Directory;
    } catch (IOException absent) {
      return false;
    }
  }

  @Override
  public List<String> list(Path path) throws IOException {
    return new ArrayList<>(directory(path).live.keySet());
  }

  @Override
  public void createDirectories(Path path) throws IOException {
    change();
    Directory at = root;
    for (Path name : path) {
      at = (Directory) at.live.computeIfAbsent(name.toString(), absent -> new Directory());
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    change();
    Node node = directory(from.getParent()).live.remove(name(from));
    if (node == null) {
      throw new NoSuchFileException(from.toString());
    }
    directory(to.getParent()).live.put(name(to), node);
  }

  @Override
  public boolean delete(Path path) throws IOException {
    Directory parent = directory(path.getParent());
    if (!parent.live.containsKey(name(path))) {
      return false;
    }
    change();
    return parent.live.remove(name(path)) != null;
  }

  @Override
  public void deleteTree(Path path) throws IOException {
    delete(path);
  }

  @Override
  public void syncDirectory(Path path) throws IOException {
    change();
    Directory directory = directory(path);
    directory.durable = new TreeMap<>(directory.live);
  }

  private final class Handle implements DiskFile {
    private final Path path;
    private final File file;

    Handle(Path path, File file) {
      this.path = path;
      this.file = file;
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public int read(ByteBuffer dst, long position) {
      int length = (int) Math.min(dst.remaining(), file.live.length - position);
      if (length <= 0) {
        return -1;
      }
      dst.put(file.live, (int) position, length);
      return length;
    }

    @Override
    public void write(ByteBuffer src, long position) throws IOException {
      change();
      int end = (int) position + src.remaining();
      if (end > file.live.length) {
        file.live = Arrays.copyOf(file.live, end);
      }
      src.get(file.live, (int) position, src.remaining());
    }

    @Override
    public void write(ByteBuffer[] sources, long position) throws IOException {
      for (ByteBuffer source : sources) {
        int length = source.remaining();
        write(source, position);
        position += length;
      }
    }

    @Override
    public long size() {
      return file.live.length;
    }

    @Override
    public void resize(long size) throws IOException {
      change();
      file.live = Arrays.copyOf(file.live, (int) size);
    }

    @Override
    public void allocate(long size) throws IOException {
      change();
      file.live = Arrays.copyOf(file.live, (int) Math.max(size, file.live.length));
    }

    @Override
    public void sync() throws IOException {
      change();
      if (syncsFail) {
        throw new IOException("Input/output error");
      }
      file.durable = file.live.clone();
    }

    @Override
    public Mapping map(long length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean tryFlock(boolean exclusive) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean tryRecordLock() {
      if (file.lockedBy == null) {
        file.lockedBy = this;
      }
      return file.lockedBy == this;
    }

    @Override
    public void close() {
      if (file.lockedBy == this) {
        file.lockedBy = null;
      }
    }
  }
}
