package dev.kvorum.member.watch;

/// What the hub counts; all calls on the watch loop.
public interface WatchMetrics {
  WatchMetrics NONE = new WatchMetrics() {};

  default void streamOpened() {}

  default void streamClosed() {}

  default void watcherAdded() {}

  default void watcherRemoved() {}

  default void eventsSent(int count) {}

  /// @param watchers that are not current
  default void behind(int watchers) {}
}
