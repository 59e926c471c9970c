package dev.kvorum.sim.model;

import dev.kvorum.env.Bytes;
import org.jspecify.annotations.Nullable;

/// What one revision did to one key.
///
/// @param after null: it was deleted
/// @param before what it was before the revision, whatever else that did to it; null: it was not there
public record Change(long revision, Bytes key, @Nullable Kv after, @Nullable Kv before) {
  public boolean isDelete() {
    return after == null;
  }

  public boolean isCreate() {
    return after != null && after.version() == 1;
  }

  @Override
  public String toString() {
    return revision + ":" + (after == null ? "delete " + key.toUtf8() : "put " + after);
  }
}
