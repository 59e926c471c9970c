package dev.kvorum.sim.model;

import dev.kvorum.api.mvccpb.KeyValue;
import dev.kvorum.env.Bytes;

/// A key as a client sees it.
///
/// @param lease 0 for none
public record Kv(Bytes key, Bytes value, long create, long mod, long version, long lease) {
  public static Kv of(KeyValue kv) {
    return new Kv(
        Bytes.wrap(kv.getKey().toByteArray()),
        Bytes.wrap(kv.getValue().toByteArray()),
        kv.getCreateRevision(),
        kv.getModRevision(),
        kv.getVersion(),
        kv.getLease());
  }

  /// Without what a range of keys only leaves out.
  Kv keyOnly() {
    return new Kv(key, Bytes.EMPTY, create, mod, version, 0);
  }

  @Override
  public String toString() {
    String shown = value.size() > 24 ? value.toUtf8().substring(0, 20) + "…" + value.size() : value.toUtf8();
    return key.toUtf8() + "=" + shown + "@" + create + "/" + mod + "/" + version + (lease == 0 ? "" : "#" + lease);
  }
}
