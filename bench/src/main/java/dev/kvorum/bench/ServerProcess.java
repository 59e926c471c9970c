package dev.kvorum.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One etcd, ours or another, started by us: a single member on free loopback ports and a directory of its own.
///
/// It is stopped by its own process id, and its directory deleted, by [#close], which also runs when the benchmark is
/// interrupted.
final class ServerProcess implements AutoCloseable {
  /// Long enough for a first start that compiles.
  private static final int READY_SECONDS_MAX = 300;

  private static final int LOG_TAIL_LINES = 10;
  private static final int LOG_LINE_CHARS = 300;

  private static final int STOP_SECONDS_MAX = 120;
  private static final long QUOTA_BYTES = 16L << 30;

  private final String label;
  private final Path binary;
  private final Path directory;
  private final int clientPort;
  private final int peerPort;
  private final @Nullable Ceiling ceiling;
  private @Nullable Process process;
  private double readySeconds;
  private double stopSeconds;

  /// `label` names the side in output.
  ServerProcess(String label, Path binary, Path parent) throws IOException {
    this(label, binary, parent, null);
  }

  /// A server that lives below a memory ceiling, unless that is null.
  ServerProcess(String label, Path binary, Path parent, @Nullable Ceiling ceiling) throws IOException {
    this.label = label;
    this.ceiling = ceiling;
    this.binary = binary;
    Files.createDirectories(parent);
    String type = Files.getFileStore(parent).type();
    if (type.equals("tmpfs") || type.equals("ramfs")) {
      throw new IOException(parent + " is in memory (" + type + "): give a --data-dir on a disk");
    }
    this.directory = Files.createTempDirectory(parent, label + "-");
    try (ServerSocket client = loopbackSocket();
        ServerSocket peer = loopbackSocket()) {
      clientPort = client.getLocalPort();
      peerPort = peer.getLocalPort();
    }
    Runtime.getRuntime().addShutdownHook(new Thread(this::close));
  }

  private static ServerSocket loopbackSocket() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
  }

  String label() {
    return label;
  }

  int port() {
    return clientPort;
  }

  /// From the start of the process to its first healthy answer, the last time it was started.
  double readySeconds() {
    return readySeconds;
  }

  /// How long the server took to end after SIGTERM, the last time it was stopped.
  double stopSeconds() {
    return stopSeconds;
  }

  void start() throws IOException, InterruptedException {
    String client = "http://127.0.0.1:" + clientPort;
    String peer = "http://127.0.0.1:" + peerPort;
    List<String> commandLine = new ArrayList<>(ceiling == null ? List.of() : ceiling.commandPrefix());
    commandLine.addAll(
        List.of(
            binary.toString(),
            "--name=bench",
            "--data-dir=" + directory.resolve("data"),
            "--listen-client-urls=" + client,
            "--advertise-client-urls=" + client,
            "--listen-peer-urls=" + peer,
            "--initial-advertise-peer-urls=" + peer,
            "--initial-cluster=bench=" + peer,
            "--quota-backend-bytes=" + QUOTA_BYTES));
    ProcessBuilder builder = new ProcessBuilder(commandLine);
    builder.environment().keySet().removeIf(name -> name.startsWith("ETCD_"));
    if (ceiling != null) {
      builder.environment().putAll(ceiling.environment());
    }
    builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    long begun = System.nanoTime();
    process = builder.start();
    while (!isHealthy()) {
      if (!process.isAlive()) {
        throw new IOException(label + " exited with " + process.exitValue() + " while starting:\n" + logTail());
      }
      if (System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(READY_SECONDS_MAX)) {
        throw new IOException(label + " was not ready within " + READY_SECONDS_MAX + " s:\n" + logTail());
      }
      Thread.sleep(5);
    }
    readySeconds = (System.nanoTime() - begun) / 1e9;
  }

  private boolean isHealthy() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), clientPort), 1_000);
      socket.setSoTimeout(5_000);
      String request = "GET /health HTTP/1.1\r\nHost: 127.0.0.1:" + clientPort + "\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return answer.startsWith("HTTP/1.1 200") && answer.contains("\"health\":\"true\"");
    } catch (IOException e) {
      return false;
    }
  }

  void restart() throws IOException, InterruptedException {
    stop();
    start();
  }

  /// SIGTERM, and SIGKILL if that does not end it.
  void stop() {
    Process running = process;
    if (running == null) {
      return;
    }
    long begun = System.nanoTime();
    List<ProcessHandle> descendants = running.descendants().toList();
    running.destroy();
    try {
      if (!running.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
        System.err.println(label + " did not stop within " + STOP_SECONDS_MAX + " s of SIGTERM");
        running.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      running.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    stopSeconds = (System.nanoTime() - begun) / 1e9;
    descendants.forEach(ProcessHandle::destroyForcibly);
    process = null;
  }

  boolean isAlive() {
    Process running = process;
    return running != null && running.isAlive();
  }

  /// How the process ended, as a shell says it (128 + n after signal n); -1 while it runs.
  int exitStatus() {
    Process ended = process;
    return ended == null || ended.isAlive() ? -1 : ended.exitValue();
  }

  /// The size of the backend's file.
  long dbBytes() throws IOException {
    return Files.size(directory.resolve("data/member/snap/db"));
  }

  /// The largest the resident memory of the server's process has been.
  long peakResidentBytes() throws IOException {
    return ProcStat.peakResidentBytes(pids()[0]);
  }

  /// Processor time of the server and what it started, in seconds.
  double cpuSeconds() throws IOException {
    double seconds = 0;
    for (long pid : pids()) {
      seconds += ProcStat.cpuSeconds(pid);
    }
    return seconds;
  }

  long residentBytes() throws IOException {
    long bytes = 0;
    for (long pid : pids()) {
      bytes += ProcStat.residentBytes(pid);
    }
    return bytes;
  }

  /// What of its resident memory is no mapped file.
  long anonymousBytes() throws IOException {
    return ProcStat.anonymousBytes(pids()[0]);
  }

  private long[] pids() throws IOException {
    Process running = process;
    if (running == null || !running.isAlive()) {
      throw new IOException(label + " is not running:\n" + logTail());
    }
    return Stream.concat(Stream.of(running.toHandle()), running.descendants()).mapToLong(ProcessHandle::pid).toArray();
  }

  private Path log() {
    return directory.resolve("log");
  }

  /// The last of what the server said.
  String logTail() {
    try {
      List<String> lines = Files.exists(log()) ? Files.readAllLines(log()) : List.of();
      return lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()).stream()
          .map(line -> line.length() <= LOG_LINE_CHARS ? line : line.substring(0, LOG_LINE_CHARS) + "...")
          .collect(Collectors.joining("\n"));
    } catch (IOException e) {
      return "(its log cannot be read: " + e + ")";
    }
  }

  @Override
  public synchronized void close() {
    stop();
    if (ceiling != null) {
      ceiling.close(); // here, so that an interrupted benchmark removes it, too
    }
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException | UncheckedIOException e) {
      System.err.println(directory + " could not be deleted: " + e);
    }
  }
}
