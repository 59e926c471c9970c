package dev.kvorum.sim.world;

import dev.kvorum.env.Cancellable;
import dev.kvorum.env.Invariant;
import dev.kvorum.env.Loop;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A loop that the scheduler steps: the contract of [Loop], every freedom it leaves drawn from the seed.
///
/// A turn takes what waits (sometimes only some of it), the timers that are due, then `afterBatch`. Each task uses a
/// little time, and between any two of them, as at any operation of the disk, others may run.
public final class SimLoop implements Loop {
  private final SimHost host;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final String name;
  private final int inboxMax;
  private final Runnable afterBatch;
  private final Consumer<Throwable> onFailure;
  private final ArrayDeque<Runnable> inbox = new ArrayDeque<>();
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private final Strand strand;
  private @Nullable Cancellable wakeUp;
  private long wakeUpAtNanos;
  private long timersMade;
  private boolean idle;
  private boolean stopping;
  private boolean ended;

  private static final class Timer implements Comparable<Timer>, Cancellable {
    final long dueNanos;
    final long order;
    final Runnable task;
    boolean cancelled;

    Timer(long dueNanos, long order, Runnable task) {
      this.dueNanos = dueNanos;
      this.order = order;
      this.task = task;
    }

    @Override
    public void cancel() {
      cancelled = true;
    }

    @Override
    public int compareTo(Timer other) {
      int byTime = Long.compare(dueNanos, other.dueNanos);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  SimLoop(SimHost host, String name, int inboxMax, Runnable afterBatch, Consumer<Throwable> onFailure) {
    this.host = host;
    this.scheduler = host.scheduler();
    this.random = host.random().split();
    this.name = host.name() + "/" + name;
    this.inboxMax = inboxMax;
    this.afterBatch = afterBatch;
    this.onFailure = onFailure;
    this.strand = scheduler.spawn(host, this.name, this::live);
  }

  String name() {
    return name;
  }

  Strand strand() {
    return strand;
  }

  private void live() {
    try {
      rest(); // whoever made this loop may still be making the rest of its owner
      while (!(stopping && inbox.isEmpty())) {
        turn();
        rest();
      }
    } catch (Throwable failure) {
      stopping = true;
      scheduler.trace().event(scheduler.now(), name, "fails: " + failure);
      onFailure.accept(failure);
    }
    stopping = true;
    ended = true;
  }

  private void turn() {
    int left = inbox.size();
    if (left > 1 && random.nextInt(8) == 0) {
      left = 1 + random.nextInt(left);
    }
    for (; left > 0; left--) {
      work(inbox.remove());
    }
    for (Timer timer = timers.peek(); timer != null && timer.dueNanos <= scheduler.now(); timer = timers.peek()) {
      timers.remove();
      if (!timer.cancelled) {
        work(timer.task);
      }
    }
    afterBatch.run();
    scheduler.sleep(100);
  }

  private void work(Runnable task) {
    scheduler.spend(200 + random.nextLong(3_000));
    if (random.nextInt(8) == 0) {
      scheduler.sleep(0);
    }
    task.run();
  }

  /// Until there is work.
  private void rest() {
    while (inbox.isEmpty() && !stopping) {
      Timer timer = timers.peek();
      if (timer != null) {
        if (timer.dueNanos <= scheduler.now()) {
          return;
        }
        wakeAt(timer.dueNanos + random.nextLong(50_000));
      }
      idle = true;
      scheduler.suspend();
      idle = false;
    }
  }

  private void wakeAt(long nanos) {
    Cancellable pending = wakeUp;
    if (pending != null && wakeUpAtNanos <= nanos) {
      return;
    }
    if (pending != null) {
      pending.cancel();
    }
    wakeUpAtNanos = nanos;
    wakeUp = scheduler.after(nanos - scheduler.now(), () -> {
      wakeUp = null;
      if (idle) {
        scheduler.resumeAfter(strand, 0);
        idle = false;
      }
    });
  }

  private void wake() {
    if (idle) {
      wakeAt(scheduler.now() + scheduler.jitter());
    }
  }

  @Override
  public boolean offer(Runnable task) {
    if (stopping || inbox.size() >= inboxMax) {
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
    inbox.add(task);
    wake();
  }

  @Override
  public Cancellable schedule(long delayNanos, Runnable task) {
    Timer timer = new Timer(scheduler.now() + host.loops().simulated(delayNanos), timersMade++, task);
    if (isCurrent()) {
      timers.add(timer);
    } else {
      execute(() -> timers.add(timer));
    }
    return timer;
  }

  @Override
  public boolean isCurrent() {
    return scheduler.current() == strand;
  }

  @Override
  public int backlog() {
    return inbox.size();
  }

  @Override
  public void stop() {
    stopping = true;
    wake();
  }

  @Override
  public boolean awaitStopped(long timeoutNanos) {
    Invariant.check(!isCurrent(), "a loop cannot wait for its own end");
    long deadline = scheduler.now() + host.loops().simulated(timeoutNanos);
    while (!ended) {
      if (scheduler.now() >= deadline) {
        return false;
      }
      scheduler.sleep(100_000);
    }
    return true;
  }
}
