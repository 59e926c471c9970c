package dev.kvorum.server;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/// The signals that ask a server to stop: the first counts, further ones are ignored.
final class Signals {
  /// A signal by the name operators' logs know.
  enum Cause {
    INTERRUPT("INT", "interrupt"),
    TERMINATE("TERM", "terminated");

    private final String shortName;
    private final String logName;

    Cause(String shortName, String logName) {
      this.shortName = shortName;
      this.logName = logName;
    }

    String logName() {
      return logName;
    }
  }

  private final CompletableFuture<Cause> first = new CompletableFuture<>();

  /// Takes SIGINT and SIGTERM from the JVM, whose own way of stopping would tear threads down under us.
  static Signals catching() {
    Signals signals = new Signals();
    for (Cause cause : Cause.values()) {
      Signal.handle(new Signal(cause.shortName), ignored -> signals.first.complete(cause));
    }
    return signals;
  }

  /// Completes when the first signal came.
  CompletableFuture<Cause> came() {
    return first;
  }

  /// Ends the process as the signal would have, so that whoever started it sees how it died. As pid 1, which signals do
  /// not kill, it exits with 0. Does not return.
  static void dieOf(Cause cause) {
    Runtime runtime = Runtime.getRuntime();
    if (ProcessHandle.current().pid() == 1) {
      runtime.halt(0);
    }
    Signal signal = new Signal(cause.shortName);
    Signal.handle(signal, SignalHandler.SIG_DFL);
    raise(signal.getNumber());
    runtime.halt(128 + signal.getNumber());
  }

  /// raise(3); the JDK's own refuses signals that have their default action.
  private static void raise(int number) {
    Linker linker = Linker.nativeLinker();
    try {
      int ignored =
          (int)
              linker
                  .downcallHandle(
                      linker.defaultLookup().findOrThrow("raise"),
                      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                  .invokeExact(number);
    } catch (Throwable notHere) {
      // the caller ends the process by the status that means the same
    }
  }
}
