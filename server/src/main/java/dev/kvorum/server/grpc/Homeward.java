package dev.kvorum.server.grpc;

import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.Executor;

/// Runs a task on a connection's loop, at once when already there.
final class Homeward {
  private Homeward() {}

  static void run(Executor home, Runnable task) {
    if (home instanceof EventExecutor loop && loop.inEventLoop()) {
      task.run();
    } else {
      home.execute(task);
    }
  }
}
