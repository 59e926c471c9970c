package dev.kvorum.state.backend;

/// Says which revisions survive a compaction: a question to the key index instead of a set as large as the store.
@FunctionalInterface
public interface KeepCheck {
  /// @param record the stored `mvccpb.KeyValue`, which names the key the revision belongs to
  boolean isKept(byte[] record, long main, int sub);

  /// Whether any revision is kept at all. Asked at most once, and only when the first revision met was not.
  default boolean keepsAnything() {
    return true;
  }
}
