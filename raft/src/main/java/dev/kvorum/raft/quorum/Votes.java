package dev.kvorum.raft.quorum;

/// What each member said, when asked yes or no.
@FunctionalInterface
public interface Votes {
  byte YES = 1;
  byte NO = -1;
  byte MISSING = 0;

  /// [#YES], [#NO], or [#MISSING] when `id` has not answered.
  byte of(long id);
}
