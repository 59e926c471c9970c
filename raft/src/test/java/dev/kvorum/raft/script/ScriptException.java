package dev.kvorum.raft.script;

/// A script asks for what cannot be done: a mistake in the script or in the player, not an expected output.
final class ScriptException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ScriptException(String message) {
    super(message);
  }
}
