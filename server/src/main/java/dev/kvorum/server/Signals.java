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

  private static final long DEFAULT_ACTION = 0;

  private final CompletableFuture<Cause> first = new CompletableFuture<>();

  /// Takes SIGINT and SIGTERM from the JVM, whose own way of stopping would tear threads down under us.
  static Signals catching() {
    Signals signals = new Signals();
    for (Cause cause : Cause.values()) {
      // whoever started us may have left it ignored, as shells do behind "&"; the JVM would respect that
      call("signal", new Signal(cause.shortName).getNumber(), DEFAULT_ACTION);
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
    call("raise", signal.getNumber()); // the JDK's own refuses signals that have their default action
    runtime.halt(128 + signal.getNumber());
  }

  /// A C function of ints.
  private static void call(String function, long... arguments) {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor shape = FunctionDescriptor.of(ValueLayout.JAVA_LONG);
    Object[] values = new Object[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      shape = shape.appendArgumentLayouts(ValueLayout.JAVA_LONG);
      values[i] = arguments[i];
    }
    try {
      Object ignored =
          linker.downcallHandle(linker.defaultLookup().findOrThrow(function), shape).invokeWithArguments(values);
    } catch (Throwable notHere) {
      // without native access signals are as they were, and the caller has another way to end
    }
  }
}
