package dev.kvorum.env;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Work in numbered parts that the caller does itself, together with as many helpers as find time.
///
/// Each takes the next part nobody has taken, and the caller returns when all are done. It never waits for a helper to
/// begin: where nobody helps, as in a simulator that runs one task at a time, the caller does everything. Which thread
/// does a part is not determined; so a part touches nothing but its own results.
public final class Parts {
  /// One part's work.
  @FunctionalInterface
  public interface Part {
    void run(int number) throws IOException;
  }

  private final int count;
  private final Part part;
  private final AtomicInteger next = new AtomicInteger();
  private final CountDownLatch left;
  private final @Nullable Throwable[] failures;

  private Parts(int count, Part part) {
    this.count = count;
    this.part = part;
    this.left = new CountDownLatch(count);
    this.failures = new Throwable[count];
  }

  /// Runs the parts 0 to `count` - 1.
  ///
  /// @param helpersMax how many helpers to ask for at most
  /// @throws IOException what the first part, by number, that failed threw; the others have run all the same
  public static void run(Executor helpers, int helpersMax, int count, Part part) throws IOException {
    Parts parts = new Parts(count, part);
    for (int i = 0; i < Math.min(helpersMax, count - 1); i++) {
      try {
        helpers.execute(parts::takeAll);
      } catch (RejectedExecutionException busy) {
        break;
      }
    }
    parts.takeAll();
    parts.await();
    parts.report();
  }

  private void takeAll() {
    for (int number = next.getAndIncrement(); number < count; number = next.getAndIncrement()) {
      try {
        part.run(number);
      } catch (Throwable failure) {
        failures[number] = failure;
      } finally {
        left.countDown();
      }
    }
  }

  private void await() {
    boolean interrupted = false;
    while (true) {
      try {
        left.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void report() throws IOException {
    for (Throwable failure : failures) {
      switch (failure) {
        case null -> {}
        case IOException e -> throw e;
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw Invariant.unreachable("a part threw " + failure);
      }
    }
  }
}
