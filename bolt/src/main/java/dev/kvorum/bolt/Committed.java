package dev.kvorum.bolt;

import dev.kvorum.env.DiskFile;
import dev.kvorum.env.Invariant;
import java.util.concurrent.atomic.AtomicInteger;

/// One committed state, immutable, shared by the readers that began while it was the newest.
///
/// It counts its holders: the [Bolt], while it is the newest, and each reader. A reader begins by raising the count,
/// which fails once it has been zero, and then looks for the newest state again; so the writer, which finds a zero,
/// knows that nobody will ever read that state and that its pages may go. That is all the synchronisation between
/// readers and writer.
final class Committed {
  final Meta meta;
  final Pages pages;
  final long freePages;
  final long pendingPages;
  final MappedFile mapped;

  private final AtomicInteger holders = new AtomicInteger(1);

  Committed(Meta meta, Pages pages, MappedFile mapped, long freePages, long pendingPages) {
    this.meta = meta;
    this.pages = pages;
    this.mapped = mapped;
    this.freePages = freePages;
    this.pendingPages = pendingPages;
    mapped.retain();
  }

  long sizeBytes() {
    return meta.pageCount() * meta.pageSize();
  }

  /// @return false when it is gone for good
  boolean retain() {
    for (int n = holders.get(); n > 0; n = holders.get()) {
      if (holders.compareAndSet(n, n + 1)) {
        return true;
      }
    }
    return false;
  }

  void release() {
    int left = holders.decrementAndGet();
    Invariant.check(left >= 0, "a committed state was released more often than held");
    if (left == 0) {
      mapped.release();
    }
  }

  boolean isHeld() {
    return holders.get() > 0;
  }

  /// A mapping shared by the states committed while it was long enough; unmapped by the last of them to go.
  static final class MappedFile {
    final DiskFile.Mapping mapping;
    final long bytes;
    private final AtomicInteger holders = new AtomicInteger(1);

    MappedFile(DiskFile.Mapping mapping) {
      this.mapping = mapping;
      this.bytes = mapping.segment().byteSize();
    }

    void retain() {
      Invariant.check(holders.getAndIncrement() > 0, "a mapping was taken up again after it was closed");
    }

    void release() {
      if (holders.decrementAndGet() == 0) {
        mapping.close();
      }
    }
  }
}
