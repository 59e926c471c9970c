package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.io.IOException;

/// Changes on top of the last committed state, invisible to others until [#commit]. Owned by one loop.
public final class WriteTx implements Tx {
  private final Bolt bolt;
  private final Committed base;
  private final Bucket root;
  private final PageRuns freed = new PageRuns();
  private final PageRuns allocated = new PageRuns();
  private long pageCount;
  private boolean closed;

  WriteTx(Bolt bolt, Committed base) {
    this.bolt = bolt;
    this.base = base;
    this.pageCount = base.meta.pageCount();
    this.root = Bucket.root(this, base.pages, base.meta);
  }

  @Override
  public long id() {
    return base.meta.txid() + 1;
  }

  @Override
  public long sizeBytes() {
    return pageCount * bolt.pageSize();
  }

  @Override
  public Bucket root() {
    checkOpen();
    return root;
  }

  @Override
  public Bolt bolt() {
    return bolt;
  }

  /// There must be nothing of that name yet.
  public Bucket createBucket(byte[] name) throws CorruptionException {
    return root().createBucket(name);
  }

  public Bucket createBucketIfAbsent(byte[] name) throws CorruptionException {
    return root().createBucketIfAbsent(name);
  }

  /// Removes a bucket and all in it. @return false when there was none
  public boolean deleteBucket(byte[] name) throws CorruptionException {
    return root().deleteBucket(name);
  }

  /// Makes the changes durable, then visible to readers that begin after it returns.
  ///
  /// @throws IOException when writing or syncing failed, or a page read on the way was corrupt. That is final: what
  ///     the file now holds is unknown until it is opened again, so the [Bolt] refuses all further writes
  public CommitStats commit() throws IOException {
    checkOpen();
    try {
      return writeAndPublish();
    } catch (IOException | RuntimeException | Error e) {
      bolt.fail(e);
      throw e;
    } finally {
      closed = true;
      bolt.writeEnded();
    }
  }

  private CommitStats writeAndPublish() throws IOException {
    bolt.ensureNewestIsDurable();
    PageWriter out = bolt.pageWriter();
    out.beginCommit();
    int merges = new Rebalance(this).run(root);
    long rootId = new Spill(this, out).run(root);
    freeOldFreelist();
    checkFreed();
    long freelist = bolt.options().syncFreelist() ? writeFreelist(out) : Meta.NO_FREELIST;
    out.flush();
    bolt.reserve(pageCount);
    if (out.writeCalls > 0) {
      bolt.sync();
    }
    Meta meta = new Meta(bolt.pageSize(), rootId, root.sequence(), freelist, pageCount, id());
    bolt.writeMeta(meta);
    Committed made = bolt.publish(meta, freed, allocated);
    return new CommitStats(
        meta.txid(),
        merges,
        out.nodesWritten,
        out.pagesWritten,
        out.bytesWritten + bolt.pageSize(),
        out.writeCalls + 1,
        made.freePages,
        made.pendingPages,
        made.sizeBytes());
  }

  private void freeOldFreelist() throws CorruptionException {
    if (base.meta.hasFreelist()) {
      free(base.meta.freelist(), FreelistPage.read(base.pages, base.meta.freelist(), id -> {}));
    }
  }

  /// Opening proved that each page has one use. If one is freed twice all the same, the disk has changed since; this
  /// is noticed before the meta page is written, and so before the page could get two new uses.
  private void checkFreed() throws CorruptionException {
    long twice = bolt.pendingPages().admit(freed);
    for (int i = 0; i < freed.count() && twice < 0; i++) {
      twice = bolt.freePages().contains(freed.id(i)) ? freed.id(i) : -1;
    }
    if (twice >= 0) {
      throw base.pages.corrupt(twice * bolt.pageSize(), "page " + twice + ": already freed");
    }
  }

  /// Writes the list of free pages, pending ones included. @return its page
  private long writeFreelist(PageWriter out) throws IOException {
    int span = FreelistPage.spanFor(bolt.freePages().size() + bolt.pendingPages().size(), bolt.pageSize());
    long id = allocate(span);
    PageSet ids = new PageSet();
    for (long p = bolt.freePages().next(0); p >= 0; p = bolt.freePages().next(p + 1)) {
      ids.add(p);
    }
    bolt.pendingPages().addTo(ids);
    int at = out.room(id, span);
    int end = FreelistPage.write(out.buffer(), at, id, span, ids);
    out.zero(end, at + span * bolt.pageSize());
    return id;
  }

  /// Forgets the changes.
  public void rollback() {
    if (!closed) {
      closed = true;
      bolt.writeEnded();
    }
  }

  @Override
  public void close() {
    rollback();
  }

  Pages pages() {
    return base.pages;
  }

  /// At commit: `span` pages in a row, to be written. @return the first
  long allocate(int span) {
    long id = bolt.freePages().take(span);
    if (id < 0) {
      id = pageCount;
      pageCount += span;
    }
    allocated.add(id, span);
    return id;
  }

  /// Pages of the committed state that the new one will not have.
  void free(long id, int span) {
    Invariant.check(id >= 2, "a meta page freed");
    freed.add(id, span);
  }

  void checkOpen() {
    Invariant.check(!closed, "a write transaction used after its end");
  }
}
