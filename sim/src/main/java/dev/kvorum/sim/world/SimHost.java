package dev.kvorum.sim.world;

import dev.kvorum.env.Clock;
import dev.kvorum.env.Disk;
import dev.kvorum.env.World;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// One process of one member, from its start to its end: its loops, its workers, and how well they are treated.
///
/// [#kill] ends it at once, wherever its strands are: they are never resumed. A restart is a new host on the same disk.
public final class SimHost {
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final String name;
  private final SimLoops loops;
  private final List<SimLoop> all = new ArrayList<>();
  private boolean alive = true;
  private long pausedUntilNanos;
  private @Nullable String deathCause;
  private Runnable onDeath = () -> {};

  public SimHost(Scheduler scheduler, SplittableRandom random, String name) {
    this.scheduler = scheduler;
    this.random = random;
    this.name = name;
    this.loops = new SimLoops(this);
  }

  /// The world as this process sees it.
  public World world(Clock clock, Disk disk) {
    return new World(clock, disk, loops, random.split());
  }

  public String name() {
    return name;
  }

  public Scheduler scheduler() {
    return scheduler;
  }

  SplittableRandom random() {
    return random;
  }

  public SimLoops loops() {
    return loops;
  }

  public boolean isAlive() {
    return alive;
  }

  /// What to do when it dies.
  public void onDeath(Runnable action) {
    onDeath = action;
  }

  /// Why it died; null while it lives.
  public @Nullable String deathCause() {
    return deathCause;
  }

  /// Ends the process. From one of its own strands, this does not return.
  public void kill(String why) {
    boolean own = isCurrent();
    if (alive) {
      alive = false;
      deathCause = why;
      scheduler.trace().event(scheduler.now(), name, "dies: " + why);
      onDeath.run();
    }
    if (own) {
      scheduler.abandon();
    }
  }

  /// Whether one of its strands runs.
  public boolean isCurrent() {
    Strand current = scheduler.current();
    return current != null && current.host == this;
  }

  /// Nothing of it runs for a while; its clock goes on.
  public void pause(long nanos) {
    pausedUntilNanos = Math.max(pausedUntilNanos, scheduler.now() + nanos);
    scheduler.trace().event(scheduler.now(), name, "is paused", nanos, 0);
  }

  public boolean isPaused() {
    return pausedUntilNanos > scheduler.now();
  }

  /// One of its loops, drawn, does not run for a while.
  public void starve(long nanos) {
    if (!all.isEmpty()) {
      starve(all.get(random.nextInt(all.size())), nanos);
    }
  }

  /// The loop of that name does not run for a while, if there is one.
  public void starve(String loop, long nanos) {
    all.stream().filter(one -> one.name().endsWith("/" + loop)).findFirst().ifPresent(one -> starve(one, nanos));
  }

  private void starve(SimLoop loop, long nanos) {
    loop.strand().heldUntilNanos = Math.max(loop.strand().heldUntilNanos, scheduler.now() + nanos);
    scheduler.trace().event(scheduler.now(), loop.name(), "is starved", nanos, 0);
  }

  long heldUntil(Strand strand) {
    return Math.max(pausedUntilNanos, strand.heldUntilNanos);
  }

  void add(SimLoop loop) {
    all.add(loop);
  }

  /// Tasks that wait in its loops.
  public int backlog() {
    return all.stream().mapToInt(SimLoop::backlog).sum();
  }
}
