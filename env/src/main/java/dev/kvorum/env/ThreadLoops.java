package dev.kvorum.env;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// Loops as daemon threads, one each, and a fixed pool of workers.
public final class ThreadLoops implements Loops {
  private static final int WORKER_BACKLOG_MAX = 65_536;

  private final ThreadPoolExecutor workers;

  public ThreadLoops(int workerCount) {
    AtomicInteger next = new AtomicInteger();
    workers =
        new ThreadPoolExecutor(
            workerCount,
            workerCount,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(WORKER_BACKLOG_MAX),
            task -> daemon(task, "worker-" + next.getAndIncrement()));
    workers.allowCoreThreadTimeOut(true);
  }

  @Override
  public Loop loop(String name, int inboxMax, Runnable afterBatch, Consumer<Throwable> onFailure) {
    ThreadLoop loop = new ThreadLoop(inboxMax, afterBatch, onFailure);
    loop.start(daemon(loop, name));
    return loop;
  }

  @Override
  public Executor workers() {
    return workers;
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }
}
