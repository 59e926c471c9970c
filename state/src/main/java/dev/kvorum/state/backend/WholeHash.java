package dev.kvorum.state.backend;

import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/// CRC-32C over a whole file: each bucket's name, then its keys and values, in order. A testing aid of etcd's: leases
/// and such may differ between members by right.
///
/// Source: backend-schema §10.
public final class WholeHash {
  private static final byte[][] LOCAL = {
    MetaKey.TERM.array(), MetaKey.CONSISTENT_INDEX.array(), MetaKey.STORAGE_VERSION.array()
  };

  private WholeHash() {}

  /// @param skipLocal leaves out the entries of `meta` that members need not share, as Maintenance.Hash does;
  ///     `etcdutl snapshot status` does not
  public static int of(ReadTx tx, boolean skipLocal) throws CorruptionException {
    CRC32C crc = new CRC32C();
    Cursor names = tx.cursor();
    for (boolean more = names.first(); more; more = names.next()) {
      byte[] name = names.key();
      crc.update(name);
      Bucket bucket = tx.bucket(name);
      if (bucket != null) {
        update(crc, bucket, skipLocal && Bytes.wrap(name).toUtf8().equals(BucketName.META.text()));
      }
    }
    return (int) crc.getValue();
  }

  private static void update(CRC32C crc, Bucket bucket, boolean skipLocal) throws CorruptionException {
    Cursor cursor = bucket.cursor();
    for (boolean more = cursor.first(); more; more = cursor.next()) {
      byte[] key = cursor.key();
      if (skipLocal && isLocal(key)) {
        continue;
      }
      crc.update(key);
      crc.update(cursor.valueSegment().asByteBuffer());
    }
  }

  private static boolean isLocal(byte[] key) {
    for (byte[] local : LOCAL) {
      if (Arrays.equals(local, key)) {
        return true;
      }
    }
    return false;
  }
}
