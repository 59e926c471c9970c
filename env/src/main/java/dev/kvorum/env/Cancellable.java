package dev.kvorum.env;

/// A scheduled task that may be called off. Calling off a task that ran, or twice, does nothing.
@FunctionalInterface
public interface Cancellable {
  void cancel();
}
