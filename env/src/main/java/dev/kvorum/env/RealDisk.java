package dev.kvorum.env;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// The machine's file system.
public final class RealDisk implements Disk {
  private static final FileAttribute<Set<PosixFilePermission>> FILE_MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final FileAttribute<Set<PosixFilePermission>> DIRECTORY_MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  @Override
  public DiskFile open(Path file, OpenMode mode) throws IOException {
    EnumSet<StandardOpenOption> options = EnumSet.of(StandardOpenOption.READ);
    if (mode != OpenMode.READ) {
      options.add(StandardOpenOption.WRITE);
    }
    if (mode == OpenMode.CREATE) {
      options.add(StandardOpenOption.CREATE);
    } else if (mode == OpenMode.CREATE_NEW) {
      options.add(StandardOpenOption.CREATE_NEW);
    }
    return new RealFile(file, FileChannel.open(file, options, FILE_MODE), mode != OpenMode.READ);
  }

  @Override
  public boolean exists(Path path) {
    return Files.exists(path);
  }

  @Override
  public boolean isDirectory(Path path) {
    return Files.isDirectory(path);
  }

  @Override
  public List<String> list(Path directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        names.add(entry.getFileName().toString());
      }
    }
    names.sort(Comparator.naturalOrder());
    return names;
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    Files.createDirectories(directory, DIRECTORY_MODE);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public boolean delete(Path path) throws IOException {
    return Files.deleteIfExists(path);
  }

  @Override
  public void deleteTree(Path path) throws IOException {
    try {
      Files.walkFileTree(
          path,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @org.jspecify.annotations.Nullable IOException failure)
                throws IOException {
              if (failure != null) {
                throw failure;
              }
              Files.delete(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (NoSuchFileException absent) {
      // what was to be gone is gone
    }
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /// Reads and writes by [FileChannel]; locks and maps by a descriptor of its own, opened when first needed.
  private static final class RealFile implements DiskFile {
    private static final int NO_DESCRIPTOR = -1;
    private static final int ZEROS_BYTES = 1 << 20;

    private final Path path;
    private final FileChannel channel;
    private final boolean writable;
    private int descriptor = NO_DESCRIPTOR;

    RealFile(Path path, FileChannel channel, boolean writable) {
      this.path = path;
      this.channel = channel;
      this.writable = writable;
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public int read(ByteBuffer dst, long position) throws IOException {
      return channel.read(dst, position);
    }

    @Override
    public void write(ByteBuffer src, long position) throws IOException {
      while (src.hasRemaining()) {
        position += channel.write(src, position);
      }
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
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public void resize(long size) throws IOException {
      long old = channel.size();
      if (size < old) {
        channel.truncate(size);
      } else if (size > old) {
        channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
      }
    }

    @Override
    public void allocate(long size) throws IOException {
      if (Posix.allocate(descriptor(), size, path)) {
        return;
      }
      ByteBuffer zeros = ByteBuffer.allocate(ZEROS_BYTES);
      for (long at = channel.size(); at < size; ) {
        zeros.clear().limit((int) Math.min(ZEROS_BYTES, size - at));
        at += channel.write(zeros, at);
      }
    }

    @Override
    public void sync() throws IOException {
      channel.force(false);
    }

    @Override
    public Mapping map(long length) throws IOException {
      Arena scope = Arena.ofShared();
      return new RealMapping(Posix.map(descriptor(), length, path, scope), scope);
    }

    @Override
    public boolean tryFlock(boolean exclusive) throws IOException {
      return Posix.tryFlock(descriptor(), exclusive, path);
    }

    @Override
    public boolean tryRecordLock() throws IOException {
      return Posix.tryRecordLock(descriptor(), path);
    }

    private int descriptor() throws IOException {
      if (descriptor == NO_DESCRIPTOR) {
        descriptor = Posix.open(path, writable);
      }
      return descriptor;
    }

    @Override
    public void close() throws IOException {
      if (descriptor != NO_DESCRIPTOR) {
        Posix.close(descriptor);
        descriptor = NO_DESCRIPTOR;
      }
      channel.close();
    }
  }

  private record RealMapping(MemorySegment segment, Arena scope) implements DiskFile.Mapping {
    @Override
    public void close() {
      scope.close();
    }
  }
}
