package dev.kvorum.state.backend;

import org.jspecify.annotations.Nullable;

/// The outcome of a commit on the backend loop, on its way back to the apply loop, which installs it
/// ([Backend#committed]) or, when it no longer wants to, discards it.
///
/// @param batch what it made durable; null when it wrote nothing of the apply loop's (compaction, defragmentation)
/// @param read the state it made, held once
public record BackendCommit(@Nullable WriteBatch batch, SharedRead read, BackendSize size) {
  public void discard() {
    read.release();
  }
}
