package dev.kvorum.sim.judge;

import com.google.protobuf.ByteString;
import dev.kvorum.api.mvccpb.KeyValue;
import dev.kvorum.env.Bytes;
import dev.kvorum.sim.model.Change;
import dev.kvorum.sim.model.Kv;
import dev.kvorum.sim.model.Store;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// What HashKV must be, computed from the history alone (`backend-schema.md` §9).
final class KeyHasher {
  private KeyHasher() {}

  /// Of what is as old as the compaction only that counts which is still there at `revision`.
  ///
  /// @param compacted -1 when nothing was
  /// @return null where etcd's answer depends on how far a compaction has got: it keeps nothing at all
  static @Nullable Integer hash(Store end, long compacted, long revision) {
    List<List<Change>> history = end.history();
    Map<Bytes, Change> kept = new HashMap<>();
    for (long at = 2; at <= revision; at++) {
      for (Change change : history.get((int) at)) {
        kept.put(change.key(), change);
      }
    }
    kept.values().removeIf(Change::isDelete);
    if (compacted > 1 && kept.isEmpty()) {
      return null;
    }
    CRC32C crc = new CRC32C();
    crc.update("key".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    for (long at = 2; at <= revision; at++) {
      int sub = 0;
      for (Change change : history.get((int) at)) {
        if (at > compacted || kept.get(change.key()) == change) {
          add(crc, at, sub, change);
        }
        sub++;
      }
    }
    return (int) crc.getValue();
  }

  private static void add(CRC32C crc, long main, int sub, Change change) {
    ByteBuffer key = ByteBuffer.allocate(18).putLong(main).put((byte) '_').putLong(sub);
    Kv after = change.after();
    KeyValue.Builder record = KeyValue.newBuilder().setKey(ByteString.copyFrom(change.key().array()));
    if (after == null) {
      key.put((byte) 't');
    } else {
      record
          .setCreateRevision(after.create())
          .setModRevision(after.mod())
          .setVersion(after.version())
          .setValue(ByteString.copyFrom(after.value().array()))
          .setLease(after.lease());
    }
    crc.update(key.flip());
    crc.update(record.build().toByteArray());
  }
}
