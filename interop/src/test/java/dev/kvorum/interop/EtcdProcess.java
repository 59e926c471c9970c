package dev.kvorum.interop;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// One running server on loopback ports of its own, with its data in a given directory.
///
/// [#start] returns once the server says that it is ready; [#restart] uses the same command line.
final class EtcdProcess implements AutoCloseable {
  private static final String READY = "ready to serve client requests";
  private static final Duration START_LIMIT = Duration.ofMinutes(3); // a first start may have to build

  private final Path log;
  private final List<String> commandLine;
  private final int clientPort;
  private Process process;

  private EtcdProcess(Path directory) throws IOException {
    log = directory.resolve("etcd.log");
    clientPort = freePort();
    int peerPort = freePort();
    String clientUrl = "http://127.0.0.1:" + clientPort;
    String peerUrl = "http://127.0.0.1:" + peerPort;
    commandLine =
        List.of(
            Repository.server().toString(),
            "--name=m0",
            "--data-dir=" + directory.resolve("data"),
            "--listen-client-urls=" + clientUrl,
            "--advertise-client-urls=" + clientUrl,
            "--listen-peer-urls=" + peerUrl,
            "--initial-advertise-peer-urls=" + peerUrl,
            "--initial-cluster=m0=" + peerUrl);
    process = launch();
  }

  static EtcdProcess start(Path directory) throws IOException, InterruptedException {
    EtcdProcess etcd = new EtcdProcess(directory);
    try {
      etcd.awaitReady();
    } catch (IOException e) {
      etcd.close();
      throw e;
    }
    return etcd;
  }

  /// The URL clients connect to.
  String endpoint() {
    return "http://127.0.0.1:" + clientPort;
  }

  /// Kills the process and starts it again.
  void restart() throws IOException, InterruptedException {
    close();
    process = launch();
    awaitReady();
  }

  private Process launch() throws IOException {
    Files.deleteIfExists(log);
    return new ProcessBuilder(commandLine).redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }

  private void awaitReady() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (!output().contains(READY)) {
      if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
        throw new IOException("the server ended with status " + process.exitValue() + ":\n" + output());
      }
      if (System.nanoTime() > deadline) {
        throw new IOException("the server is not ready:\n" + output());
      }
    }
  }

  private String output() throws IOException {
    return Files.exists(log) ? Files.readString(log) : "";
  }

  /// Ends the process by SIGKILL and waits for its end.
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
