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
  private boolean keepsSome;
  private boolean keepsNone;

  /// @param compactRev -1 when nothing was ever compacted
  public RevisionHasher(long compactRev, long rev) {
    this.compactRev = compactRev;
    this.rev = rev;
    crc.update(BucketName.KEY.bytes());
  }

  /// @param key 17 bytes, or 18 for a tombstone
  public void add(byte[] key, int keyLength, byte[] record, KeepCheck keep) {
    long main = RevisionKey.main(key);
    boolean kept = main <= compactRev && keep.isKept(record, main, RevisionKey.sub(key));
    add(key, keyLength, record, keep, kept);
  }

  /// Like the other for a caller that has asked already.
  void add(byte[] key, int keyLength, byte[] record, KeepCheck keep, boolean kept) {
    long main = RevisionKey.main(key);
    if (main <= rev && (main > compactRev || kept || leavesNothingOut(keep))) {
      keepsSome |= kept;
      update(key, keyLength, record, main);
    }
  }

  /// When nothing at all is kept, etcd takes the set for missing and leaves nothing out.
  private boolean leavesNothingOut(KeepCheck keep) {
    if (!keepsSome && !keepsNone) {
      keepsSome = keep.keepsAnything();
      keepsNone = !keepsSome;
    }
    return keepsNone;
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
