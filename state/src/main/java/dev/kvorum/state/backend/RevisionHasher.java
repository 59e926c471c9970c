package dev.kvorum.state.backend;

import java.util.zip.CRC32C;

/// HashKV: CRC-32C over the revisions that every member must have at `rev`, however far its own compaction has got.
///
/// Fed with the rows of the `key` bucket in order. Of those at or below the compacted revision, only what compaction
/// keeps counts; and a tombstone at the compacted revision itself never does, since etcd before 3.5.16 deleted it.
/// Rows above `rev` are left out.
///
/// Source: backend-schema §9.
public final class RevisionHasher {
  private final CRC32C crc = new CRC32C();
  private final long compactRev;
  private final long rev;
  private final boolean keepsAnything;

  /// @param compactRev -1 when nothing was ever compacted
  /// @param keepsAnything whether any revision passes the check given to [#add]; if none does, etcd leaves nothing out
  public RevisionHasher(long compactRev, long rev, boolean keepsAnything) {
    this.compactRev = compactRev;
    this.rev = rev;
    this.keepsAnything = keepsAnything;
    crc.update(BucketName.KEY.bytes());
  }

  /// @param key 17 bytes, or 18 for a tombstone
  public void add(byte[] key, int keyLength, byte[] record, KeepCheck keep) {
    long main = RevisionKey.main(key);
    if (main > rev) {
      return;
    }
    if (main <= compactRev && keepsAnything && !keep.isKept(record, main, RevisionKey.sub(key))) {
      return;
    }
    update(key, keyLength, record, main);
  }

  /// Like [#add] for a caller that has asked already.
  void add(byte[] key, int keyLength, byte[] record, boolean kept) {
    long main = RevisionKey.main(key);
    if (main <= rev && (main > compactRev || !keepsAnything || kept)) {
      update(key, keyLength, record, main);
    }
  }

  private void update(byte[] key, int keyLength, byte[] record, long main) {
    if (main == compactRev && keyLength == RevisionKey.TOMBSTONE_SIZE) {
      return;
    }
    crc.update(key, 0, keyLength);
    crc.update(record);
  }

  /// Unsigned.
  public int hash() {
    return (int) crc.getValue();
  }
}
