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
    PageWriter out = bolt.pageWriter();
    out.beginCommit();
    int merges = new Rebalance(this).run(root);
    long rootId = new Spill(this, out).run(root);
    long freelist = writeFreelist(out);
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

  /// Frees the old list of free pages, and writes a new one if one is kept. @return its page
  private long writeFreelist(PageWriter out) throws IOException {
    if (base.meta.hasFreelist()) {
      free(base.meta.freelist(), FreelistPage.read(base.pages, base.meta.freelist(), id -> {}));
    }
    if (!bolt.options().syncFreelist()) {
      return Meta.NO_FREELIST;
    }
    int span = FreelistPage.spanFor(bolt.freePages().size() + bolt.pendingPages().size() + freed.pages(), bolt.pageSize());
    long id = allocate(span);
    PageSet ids = new PageSet();
    for (long p = bolt.freePages().next(0); p >= 0; p = bolt.freePages().next(p + 1)) {
      ids.add(p);
    }
    bolt.pendingPages().addTo(ids);
    for (int i = 0; i < freed.count(); i++) {
      for (long p = freed.id(i); p < freed.id(i) + freed.span(i); p++) {
        Invariant.check(ids.add(p), "a page freed twice");
      }
    }
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
