package dev.kvorum.server;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells systemd that we are ready, as sd_notify(3) does: units of `Type=notify` wait for it. The JDK has no datagram
/// sockets of the Unix family, so the three calls are made natively.
final class InitDaemon {
  private static final Logger LOG = LoggerFactory.getLogger(InitDaemon.class);
  private static final String SOCKET_VARIABLE = "NOTIFY_SOCKET";
  private static final byte[] READY = "READY=1".getBytes(StandardCharsets.UTF_8);
  private static final short AF_UNIX = 1;
  private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
  private static final int PATH_BYTES_MAX = 107;

  private InitDaemon() {}

  /// Says so if anyone listens; the log gets etcd's two lines either way.
  static void notifyReady() {
    LOG.info("notifying init daemon");
    String socket = System.getenv(SOCKET_VARIABLE);
    String failure = socket == null || socket.isEmpty() ? null : send(socket);
    if (failure == null) {
      LOG.info("successfully notified init daemon");
    } else {
      LOG.atError().addKeyValue("error", failure).log("failed to notify systemd for readiness");
    }
  }

  /// @return null when sent, else why not
  private static @Nullable String send(String path) {
    byte[] name = path.getBytes(StandardCharsets.UTF_8);
    if (name.length > PATH_BYTES_MAX) {
      return "socket path is too long: " + path;
    }
    if (name[0] == '@') {
      name[0] = 0; // the abstract namespace
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(Short.BYTES + PATH_BYTES_MAX + 1);
      address.set(JAVA_SHORT, 0, AF_UNIX);
      MemorySegment.copy(name, 0, address, JAVA_BYTE, Short.BYTES, name.length);
      int addressBytes = Short.BYTES + name.length + (name[0] == 0 ? 0 : 1);
      int fd = (int) call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT)
          .invokeExact((int) AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
      if (fd < 0) {
        return "no socket";
      }
      long sent =
          (long) call("sendto", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT)
              .invokeExact(fd, arena.allocateFrom(JAVA_BYTE, READY), (long) READY.length, 0, address, addressBytes);
      int ignored = (int) call("close", JAVA_INT, JAVA_INT).invokeExact(fd);
      return sent == READY.length ? null : "nobody listens at " + path;
    } catch (Throwable notHere) {
      return notHere.toString();
    }
  }

  private static MethodHandle call(String name, ValueLayout result, ValueLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }
}
