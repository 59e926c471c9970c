package dev.kvorum.bolt;

/// A [Bolt] in numbers, as of its last commit.
///
/// @param txid of the last commit
/// @param pageSize bytes
/// @param pageCount pages ever allocated: the high water mark, metas included
/// @param freePages pages the next commit may use; 0 for a read-only file, which does not look for them
/// @param pendingPages free pages that some reader may still see
/// @param mappedBytes address space
/// @param openReaders read transactions now open
public record BoltStats(
    long txid,
    int pageSize,
    long pageCount,
    long freePages,
    long pendingPages,
    long mappedBytes,
    int openReaders) {

  /// What etcd reports as `dbSize`: more than is in use, and not the length of the file.
  public long sizeBytes() {
    return pageCount * pageSize;
  }

  /// What etcd reports as `dbSizeInUse`.
  public long inUseBytes() {
    return (pageCount - freePages) * pageSize;
  }
}
