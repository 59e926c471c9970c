package dev.kvorum.env;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/// The few system calls the JDK does not offer: locks that Go's programs respect, maps past the end of a file, and
/// reserved blocks. Numbers are Linux's, the same on amd64 and arm64.
final class Posix {
  private static final int O_RDONLY = 0;
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int F_OFD_SETLK = 37;
  private static final short F_WRLCK = 1;
  private static final int PROT_READ = 1;
  private static final int MAP_SHARED = 1;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final int EACCES = 13;
  private static final int ENOSPC = 28;
  private static final int EOPNOTSUPP = 95;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO_OF = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle OPEN =
      handle("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), Linker.Option.firstVariadicArg(2), ERRNO);
  private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle FLOCK = handle("flock", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT), ERRNO);
  private static final MethodHandle FCNTL =
      handle(
          "fcntl",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS),
          Linker.Option.firstVariadicArg(2),
          ERRNO);
  private static final MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG),
          ERRNO);
  private static final MethodHandle MUNMAP = handle("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle FALLOCATE =
      handle("posix_fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));

  /// `struct flock`: type, whence, start, length, pid.
  private static final StructLayout FLOCK_STRUCT =
      MemoryLayout.structLayout(
          JAVA_SHORT.withName("type"),
          JAVA_SHORT.withName("whence"),
          MemoryLayout.paddingLayout(4),
          JAVA_LONG.withName("start"),
          JAVA_LONG.withName("length"),
          JAVA_INT.withName("pid"),
          MemoryLayout.paddingLayout(4));

  private Posix() {}

  private static MethodHandle handle(String name, FunctionDescriptor descriptor, Linker.Option... options) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
  }

  /// A descriptor of its own for `file`, closed with [#close].
  static int open(Path file, boolean writable) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC;
      int fd = (int) OPEN.invokeExact(state, arena.allocateFrom(file.toString()), flags);
      if (fd < 0) {
        throw failure("open", file, errno(state));
      }
      return fd;
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  static void close(int fd) {
    try {
      int ignored = (int) CLOSE.invokeExact(fd);
    } catch (Throwable t) {
      throw new InvariantViolation("close", t);
    }
  }

  static boolean tryFlock(int fd, boolean exclusive, Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      int operation = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
      while ((int) FLOCK.invokeExact(state, fd, operation) != 0) {
        int errno = errno(state);
        if (errno == EAGAIN) {
          return false;
        }
        if (errno != EINTR) {
          throw failure("flock", file, errno);
        }
      }
      return true;
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  static boolean tryRecordLock(int fd, Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      MemorySegment lock = arena.allocate(FLOCK_STRUCT);
      lock.set(JAVA_SHORT, 0, F_WRLCK);
      if ((int) FCNTL.invokeExact(state, fd, F_OFD_SETLK, lock) == 0) {
        return true;
      }
      int errno = errno(state);
      if (errno == EAGAIN || errno == EACCES) {
        return false;
      }
      throw failure("fcntl", file, errno);
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /// Maps `length` bytes until `scope` is closed, after which touching them throws.
  static MemorySegment map(int fd, long length, Path file, Arena scope) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      MemorySegment at =
          (MemorySegment) MMAP.invokeExact(state, MemorySegment.NULL, length, PROT_READ, MAP_SHARED, fd, 0L);
      if (at.address() == -1L) {
        throw failure("mmap", file, errno(state));
      }
      return MemorySegment.ofAddress(at.address()).reinterpret(length, scope, Posix::unmap).asReadOnly();
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  private static void unmap(MemorySegment map) {
    try {
      int ignored = (int) MUNMAP.invokeExact(MemorySegment.ofAddress(map.address()), map.byteSize());
    } catch (Throwable t) {
      throw new InvariantViolation("munmap", t);
    }
  }

  /// @return false when the file system cannot reserve; the caller then writes zeros itself
  static boolean allocate(int fd, long size, Path file) throws IOException {
    try {
      int errno;
      do {
        errno = (int) FALLOCATE.invokeExact(fd, 0L, size);
      } while (errno == EINTR);
      if (errno != 0 && errno != EOPNOTSUPP) {
        throw failure("fallocate", file, errno);
      }
      return errno == 0;
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO_OF.get(state, 0L);
  }

  private static IOException failure(String call, Path file, int errno) {
    return errno == ENOSPC
        ? new IOException(call + " " + file + ": no space left on device")
        : new IOException(call + " " + file + ": errno " + errno);
  }

  private static IOException rethrow(Throwable t) {
    if (t instanceof IOException io) {
      return io;
    }
    throw new InvariantViolation("native call", t);
  }
}
