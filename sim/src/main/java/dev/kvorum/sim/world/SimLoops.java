package dev.kvorum.sim.world;

import dev.kvorum.env.Loop;
import dev.kvorum.env.Loops;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;

/// The loops of one process. Its workers take tasks in an order of the seed's, and sometimes none.
public final class SimLoops implements Loops {
  private static final int WORKERS = 3;

  private final SimHost host;
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private LongUnaryOperator durations = LongUnaryOperator.identity();
  private int rejectPerMille;
  private int working;

  SimLoops(SimHost host) {
    this.host = host;
  }

  /// How long a duration of this process's clock is for the world: its clock may drift.
  public void durations(LongUnaryOperator simulated) {
    durations = simulated;
  }

  /// How often, of a thousand, the workers have too much to do.
  public void rejectPerMille(int perMille) {
    rejectPerMille = perMille;
  }

  long simulated(long nanos) {
    return durations.applyAsLong(nanos);
  }

  @Override
  public Loop loop(String name, int inboxMax, Runnable afterBatch, Consumer<Throwable> onFailure) {
    SimLoop loop = new SimLoop(host, name, inboxMax, afterBatch, onFailure);
    host.add(loop);
    return loop;
  }

  @Override
  public Executor workers() {
    return task -> {
      if (rejectPerMille > 0 && host.random().nextInt(1_000) < rejectPerMille) {
        throw new RejectedExecutionException("the workers have too much to do");
      }
      waiting.add(task);
      if (working < WORKERS) {
        working++;
        host.scheduler().spawn(host, host.name() + "/worker", this::work);
      }
    };
  }

  private void work() {
    while (!waiting.isEmpty()) {
      Runnable task = host.random().nextInt(4) == 0 ? waiting.removeLast() : waiting.removeFirst();
      host.scheduler().spend(1_000);
      try {
        task.run();
      } catch (RuntimeException lost) {
        // as with a real pool, nobody hears of it
        host.scheduler().trace().event(host.scheduler().now(), host.name(), "a worker's task fails: " + lost);
      }
    }
    working--;
  }
}
