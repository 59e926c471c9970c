package dev.kvorum.env;

import java.util.concurrent.Executor;
import java.util.function.Consumer;

/// Makes loops: the only source of threads below `server`.
public interface Loops {
  /// A new, running loop.
  ///
  /// @param name for thread dumps and messages
  /// @param inboxMax how many offered tasks may wait
  /// @param afterBatch runs on the loop whenever its inbox has been drained, before it sleeps: where a loop does once
  ///     for many tasks what would cost too much for each (one Ready, one write, one sync)
  /// @param onFailure hears, on the loop's own thread, what a task or `afterBatch` threw; the loop has ended by then
  Loop loop(String name, int inboxMax, Runnable afterBatch, Consumer<Throwable> onFailure);

  /// A bounded pool for long reads that own nothing (large ranges, watch catch-up, hashing). Order is not kept.
  Executor workers();
}
