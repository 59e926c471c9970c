package dev.kvorum.env;

import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// One thread that runs tasks from an inbox and timers from a heap.
///
/// A turn takes what was waiting when it began (so that a steady stream of tasks cannot starve `afterBatch`), then the
/// timers that are due, then `afterBatch`, and sleeps only when nothing came meanwhile. Whoever adds a task wakes the
/// thread only if it sleeps: under load nobody pays for a wake-up.
final class ThreadLoop implements Loop, Runnable {
  private final ConcurrentLinkedQueue<Runnable> inbox = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final int inboxMax;
  private final Runnable afterBatch;
  private final Consumer<Throwable> onFailure;
  private volatile Thread thread;
  private volatile boolean asleep;
  private volatile boolean stopping;
  private long timersMade;

  @SuppressWarnings("NullAway") // the thread is set by start, before any task can be seen
  ThreadLoop(int inboxMax, Runnable afterBatch, Consumer<Throwable> onFailure) {
    this.inboxMax = inboxMax;
    this.afterBatch = afterBatch;
    this.onFailure = onFailure;
  }

  void start(Thread owner) {
    thread = owner;
    owner.start();
  }

  @Override
  public boolean offer(Runnable task) {
    if (stopping || waiting.get() >= inboxMax) {
      return false;
    }
    add(task);
    return true;
  }

  @Override
  public void execute(Runnable task) {
    if (!stopping || isCurrent()) {
      add(task);
    }
  }

  private void add(Runnable task) {
    waiting.incrementAndGet();
    inbox.add(task);
    wake();
  }

  private void wake() {
    if (asleep) {
      asleep = false; // the next one to come need not wake it again; losing this race costs one unpark
      LockSupport.unpark(thread);
    }
  }

  @Override
  public Cancellable schedule(long delayNanos, Runnable task) {
    Timer timer = new Timer(System.nanoTime() + delayNanos, task);
    if (isCurrent()) {
      enter(timer);
    } else {
      execute(() -> enter(timer));
    }
    return timer;
  }

  private void enter(Timer timer) {
    timer.order = timersMade++;
    timers.add(timer);
  }

  @Override
  public boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  @Override
  public int backlog() {
    return waiting.get();
  }

  @Override
  public void stop() {
    stopping = true;
    wake();
  }

  @Override
  public boolean awaitStopped(long timeoutNanos) throws InterruptedException {
    Invariant.check(!isCurrent(), "a loop cannot wait for its own end");
    return ended.await(timeoutNanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public void run() {
    try {
      sleepUntilWork(); // whoever made this loop may still be making the rest of its owner
      while (!(stopping && inbox.isEmpty())) {
        runWaiting();
        runDueTimers();
        afterBatch.run();
        sleepUntilWork();
      }
    } catch (Throwable failure) {
      stopping = true;
      onFailure.accept(failure);
    } finally {
      stopping = true;
      ended.countDown();
    }
  }

  private void runWaiting() {
    for (int left = waiting.get(); left > 0; left--) {
      Runnable task = inbox.poll();
      if (task == null) {
        return;
      }
      waiting.decrementAndGet();
      task.run();
    }
  }

  /// What becomes due meanwhile comes after whatever waits: a task that is always due again keeps nobody out.
  private void runDueTimers() {
    long now = System.nanoTime();
    for (Timer timer = timers.peek(); timer != null && timer.dueNanos - now <= 0; timer = timers.peek()) {
      timers.poll();
      if (!timer.cancelled) {
        timer.task.run();
      }
    }
  }

  private void sleepUntilWork() {
    asleep = true;
    try {
      if (!inbox.isEmpty() || stopping) {
        return;
      }
      Timer timer = timers.peek();
      if (timer == null) {
        LockSupport.park(this);
      } else {
        long nanos = timer.dueNanos - System.nanoTime();
        if (nanos > 0) {
          LockSupport.parkNanos(this, nanos);
        }
      }
    } finally {
      asleep = false;
    }
  }

  private static final class Timer implements Cancellable, Comparable<Timer> {
    final long dueNanos;
    final Runnable task;
    long order;
    volatile boolean cancelled;

    Timer(long dueNanos, Runnable task) {
      this.dueNanos = dueNanos;
      this.task = task;
    }

    @Override
    public void cancel() {
      cancelled = true;
    }

    @Override
    public int compareTo(Timer other) {
      long byTime = dueNanos - other.dueNanos;
      return byTime != 0 ? Long.signum(byTime) : Long.compare(order, other.order);
    }
  }
}
