package dev.kvorum.raft.quorum;

/// How far each member has acknowledged a sequence: the log, or a leader's reads.
@FunctionalInterface
public interface Acks {
  /// The last acknowledged index of `id`, 0 when it acknowledged nothing.
  long of(long id);
}
