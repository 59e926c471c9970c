package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;

/// One change of one key, as watchers are told of it. What the key held before is asked of a view
/// ([KvView#previous]), by those who want it.
///
/// @param kv encoded `mvccpb.KeyValue`, read-only: of a put as it is stored, of a deletion its key and mod_revision
/// @param main the revision; all events of a txn share it
/// @param sub its place in the txn
/// @param isCreate whether a put made the key anew
public record Event(Type type, Bytes key, byte[] kv, long main, int sub, boolean isCreate) {
  /// In the wire's numbering.
  public enum Type {
    PUT,
    DELETE
  }
}
