package dev.kvorum.server;

import dev.kvorum.server.config.Arguments;
import dev.kvorum.server.config.DefaultHost;
import dev.kvorum.server.config.Note;
import dev.kvorum.server.config.ServerConfig;
import dev.kvorum.server.config.StartRequest;
import dev.kvorum.server.config.Usage;
import dev.kvorum.server.config.ValueException;
import dev.kvorum.server.log.Logs;
import dev.kvorum.server.log.Loud;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One server process, from its command line to its exit status.
///
/// Status 0 after help, version or as pid 1; 1 when it cannot start or cannot go on, 2 for bad usage; killed by the
/// signal that stopped it otherwise.
public final class Main {
  private static final String PROGRAM_PROPERTY = "kvorum.program";
  private static final long STOP_MILLIS_MAX = 1_300;

  private Main() {}

  public static void main(String[] words) {
    String program = System.getProperty(PROGRAM_PROPERTY, "etcd");
    int status =
        switch (Arguments.read(program, List.of(words), System.getenv(), DefaultHost::ofDefaultRoute)) {
          case StartRequest.Help() -> help();
          case StartRequest.Version() -> print(System.out, BuildInfo.lines());
          case StartRequest.BadUsage(String line) -> {
            print(System.err, line + "\n" + Usage.howToCall());
            yield 2;
          }
          case StartRequest.OtherService(String name, var ignored) -> {
            print(System.err, "etcd " + name + " is not available in this release of Kvorum\n");
            yield 1;
          }
          case StartRequest.Refused refused -> refuse(refused);
          case StartRequest.Serve(ServerConfig config, List<Note> notes) -> serve(config, notes);
        };
    // no shutdown hook of ours has anything left to do
    Runtime.getRuntime().halt(status);
  }

  private static int help() {
    print(System.err, Usage.howToCall());
    return print(System.out, Usage.flags());
  }

  private static int print(PrintStream to, String text) {
    to.write(text.getBytes(StandardCharsets.UTF_8), 0, text.getBytes(StandardCharsets.UTF_8).length);
    to.flush();
    return 0;
  }

  private static int refuse(StartRequest.Refused refused) {
    if (!refused.line().isEmpty()) {
      print(System.err, refused.line() + "\n");
    }
    Logs.startDefault();
    Logs.write(refused.notes());
    return refused.exitCode();
  }

  private static int serve(ServerConfig config, List<Note> notes) {
    Signals signals = Signals.catching();
    try {
      Logs.start(config.logging());
    } catch (ValueException e) {
      Logs.write(notes);
      logger().atWarn().addKeyValue("error", e.getMessage()).log("failed to verify flags");
      return 1;
    }
    Logs.write(notes);
    EtcdServer server;
    try {
      server = EtcdServer.start(config, Main::die);
    } catch (IOException | RuntimeException e) {
      logger().atError().addMarker(Loud.FATAL).setCause(e).log("discovery failed");
      return 1;
    }
    OldGeneration.keepSmall();
    // a member alone in its cluster may wait for ready forever: a signal must reach it then, too
    CompletableFuture.anyOf(server.whenReady(), signals.came()).join();
    if (!signals.came().isDone()) {
      try {
        server.serveClients();
        InitDaemon.notifyReady();
      } catch (IOException | RuntimeException e) {
        logger().atError().addMarker(Loud.FATAL).setCause(e).log("listener failed");
        server.stop();
        return 1;
      }
    }
    Signals.Cause cause = signals.came().join();
    logger().atInfo().addKeyValue("signal", cause.logName()).log("received signal; shutting down");
    endInTime(cause);
    server.stop();
    Logs.stop();
    Signals.dieOf(cause);
    return 0;
  }

  /// Whatever a clean stop waits for, a supervisor does not: what was acknowledged is on disk already.
  private static void endInTime(Signals.Cause cause) {
    Thread deadline =
        new Thread(
            () -> {
              try {
                Thread.sleep(STOP_MILLIS_MAX);
              } catch (InterruptedException woken) {
                return;
              }
              logger().warn("stopping takes too long; ending without the rest");
              Logs.stop();
              Signals.dieOf(cause);
            },
            "stop-deadline");
    deadline.setDaemon(true);
    deadline.start();
  }

  /// The running member cannot go on: its disk failed, or we are wrong somewhere.
  private static void die(String what, Throwable cause) {
    logger().atError().addMarker(Loud.FATAL).setCause(cause).log(what);
    Logs.stop();
    Runtime.getRuntime().halt(1);
  }

  private static Logger logger() {
    return LoggerFactory.getLogger(Main.class);
  }
}
