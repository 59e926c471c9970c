package dev.kvorum.raft;

import java.util.function.Supplier;

/// Where raft tells its story. The texts are etcd raft's own, so that an operator's greps and the transcript tests
/// both work; a message is built only if somebody listens at its level.
public interface RaftLog {
  /// Ascending severity.
  enum Level {
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  /// Listens to nothing.
  RaftLog SILENT = (level, message) -> {};

  /// Called on the loop that steps the node. An implementation that ignores `level` must not call `message`.
  void log(Level level, Supplier<String> message);
}
