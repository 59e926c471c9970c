package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import dev.kvorum.env.Invariant;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One open database file.
///
/// Owned by one loop, except for [#beginRead], [#stats] and the getters, which any thread may call.
public final class Bolt implements AutoCloseable {
  /// The file grows by this much at a time.
  private static final long GROWTH_BYTES = 16 << 20;

  /// From so many pages on, what a list says is free is only proven when someone wants to write.
  private static final long PROVEN_LATER_PAGES_MIN = 4096;

  private final BoltOptions options;
  private final DiskFile file;
  private final int pageSize;
  private final PageWriter pageWriter;
  private final FreePages freePages = new FreePages();
  private final PendingPages pendingPages = new PendingPages();

  /// States no longer the newest that readers hold, oldest first.
  private final List<Committed> heldStates = new ArrayList<>();

  private final AtomicInteger openReaders = new AtomicInteger();
  private volatile Committed newest;
  private volatile long fileBytes;
  private volatile boolean closed;

  /// Whether the newest state is known to be on disk, and not only in the system's cache.
  private boolean newestIsDurable;

  /// Physical pages of the list of free pages the file was opened with; 0 if it had none.
  private int listSpan;

  private volatile boolean proven;
  private Committed.MappedFile mapped;
  private @Nullable WriteTx writer;
  private @Nullable Throwable failure;

  private Bolt(BoltOptions options, DiskFile file, Meta meta, long fileBytes) throws IOException {
    this.options = options;
    this.file = file;
    this.pageSize = meta.pageSize();
    this.fileBytes = fileBytes;
    this.mapped = map(Math.max(fileBytes, options.initialMapBytes()));
    try {
      Pages pages = new Pages(mapped.mapping.segment(), pageSize, meta.pageCount(), file.path());
      if (!options.readOnly()) {
        takeListedPages(pages, meta);
        if (listSpan == 0 || meta.pageCount() < PROVEN_LATER_PAGES_MIN) {
          proveFreePages(pages, meta);
        }
      }
      this.newest = new Committed(meta, pages, mapped, freePages.size(), 0);
      this.pageWriter = new PageWriter(this);
    } catch (IOException | RuntimeException e) {
      mapped.release();
      throw e;
    }
  }

  /// Opens `file`, creating it (unless read-only) when absent, empty or never finished being created. Takes bbolt's `flock`, and never waits for it.
  ///
  /// @throws FileLockedException when another holder excludes it; the caller may try again later
  /// @throws dev.kvorum.env.CorruptionException when neither meta page is valid, or pages contradict each other
  public static Bolt open(Disk disk, Path file, BoltOptions options) throws IOException {
    DiskFile opened = disk.open(file, options.readOnly() ? Disk.OpenMode.READ : Disk.OpenMode.CREATE);
    try {
      if (!opened.tryFlock(!options.readOnly())) {
        throw new FileLockedException(file);
      }
      if (!options.readOnly() && MetaPages.isUnfinished(opened, options.pageSize())) {
        MetaPages.initialise(opened, options.pageSize());
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
          disk.syncDirectory(directory);
        }
      }
      Meta meta = MetaPages.find(opened);
      Bolt bolt = new Bolt(options, opened, meta, opened.size());
      bolt.recordFreelistIfWanted();
      return bolt;
    } catch (IOException | RuntimeException | Error e) {
      opened.close();
      throw e;
    }
  }

  private void takeListedPages(Pages pages, Meta meta) throws CorruptionException {
    if (meta.hasFreelist()) {
      listSpan = FreelistPage.read(pages, meta.freelist(), freePages::add);
    }
  }

  /// Free is what is not reachable, whether the file has a list or not: only the walk proves that a page has one use,
  /// and a list that contradicts it would have live pages overwritten.
  private void proveFreePages(Pages pages, Meta meta) throws CorruptionException {
    PageSet reached = PageWalk.reachable(pages, meta.root());
    for (long id = meta.freelist(); id < meta.freelist() + listSpan; id++) {
      if (!reached.add(id)) {
        throw pages.corrupt(id * pageSize, "page " + id + ": multiple references");
      }
    }
    for (long id = freePages.next(0); id >= 0; id = freePages.next(id + 1)) {
      if (reached.contains(id)) {
        throw pages.corrupt(id * pageSize, "page " + id + ": reachable freed");
      }
    }
    for (long id = 2; id < meta.pageCount(); id++) {
      if (!reached.contains(id)) {
        freePages.add(id);
      }
    }
    proven = true;
  }

  private void recordFreelistIfWanted() throws IOException {
    if (options.syncFreelist() && !options.readOnly() && !newest.meta.hasFreelist()) {
      try {
        beginWrite().commit();
      } catch (IOException e) {
        close();
        throw e;
      }
    }
  }

  /// The first one of a large file with a list of free pages walks through it, which opening would do otherwise.
  ///
  /// @throws IOException when an earlier commit failed: the file must be opened again
  /// @throws dev.kvorum.env.CorruptionException when that walk finds pages that contradict each other
  /// @throws dev.kvorum.env.InvariantViolation when a write transaction is open, or the file is read-only
  public WriteTx beginWrite() throws IOException {
    Invariant.check(!closed, "a closed database written to");
    Invariant.check(!options.readOnly(), "a database opened read-only written to");
    Invariant.check(writer == null, "a second write transaction begun");
    if (failure != null) {
      throw new IOException("database is unusable since a commit failed, open it again: " + path(), failure);
    }
    if (!proven) {
      proveFreePages(newest.pages, newest.meta);
    }
    pendingPages.release(statesInUse(), freePages);
    WriteTx tx = new WriteTx(this, newest);
    writer = tx;
    return tx;
  }

  private long[] statesInUse() {
    heldStates.removeIf(state -> !state.isHeld());
    long[] txids = new long[heldStates.size() + 1];
    for (int i = 0; i < heldStates.size(); i++) {
      txids[i] = heldStates.get(i).meta.txid();
    }
    txids[txids.length - 1] = newest.meta.txid();
    return txids;
  }

  /// A reader of the last committed state. From any thread; takes no lock.
  public ReadTx beginRead() {
    while (true) {
      Invariant.check(!closed, "a closed database read");
      Committed state = newest;
      if (state.retain()) {
        openReaders.incrementAndGet();
        return new ReadTx(this, state);
      }
    }
  }

  /// Length of the file, which grows in steps of 16 MiB; for the size etcd reports see [BoltStats#sizeBytes].
  public long fileSizeBytes() {
    return fileBytes;
  }

  public BoltStats stats() {
    Committed state = newest;
    return new BoltStats(
        state.meta.txid(),
        pageSize,
        state.meta.pageCount(),
        state.freePages,
        state.pendingPages,
        state.mapped.bytes,
        openReaders.get());
  }

  public Path path() {
    return file.path();
  }

  public int pageSize() {
    return pageSize;
  }

  public int openReaders() {
    return openReaders.get();
  }

  public BoltOptions options() {
    return options;
  }

  /// Rolls back an open write transaction and lets the file go. Open readers stay valid until they close, except
  /// their [SnapshotReader]s.
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    if (writer != null) {
      writer.rollback();
    }
    newest.release();
    mapped.release();
    file.close();
  }

  DiskFile file() {
    return file;
  }

  PageWriter pageWriter() {
    return pageWriter;
  }

  FreePages freePages() {
    return freePages;
  }

  PendingPages pendingPages() {
    return pendingPages;
  }

  /// Whether each page of the newest state is known to have one use.
  boolean isProven() {
    return proven;
  }

  void readEnded() {
    openReaders.decrementAndGet();
  }

  void writeEnded() {
    writer = null;
  }

  /// After a failed commit nothing is known of what the file holds, nor are [#freePages] right any more.
  void fail(Throwable cause) {
    failure = cause;
  }

  /// Makes the file long enough for bytes about to be written, and then some.
  void ensureFileBytes(long bytes) throws IOException {
    if (bytes > fileBytes) {
      long wanted = mapped.bytes <= GROWTH_BYTES ? Math.max(mapped.bytes, bytes) : bytes + GROWTH_BYTES;
      file.resize(wanted);
      fileBytes = wanted;
    }
  }

  /// Before the meta page: file and map must be able to hold what it will speak of.
  void reserve(long pageCount) throws IOException {
    ensureFileBytes(pageCount * pageSize);
    if (pageCount * pageSize > mapped.bytes) {
      Committed.MappedFile longer = map(fileBytes);
      mapped.release();
      mapped = longer;
    }
  }

  private Committed.MappedFile map(long bytes) throws IOException {
    return new Committed.MappedFile(file.map(MetaPages.mapBytesFor(bytes)));
  }

  /// Before anything is written: whoever wrote the file before may have been killed, or told of a failure, between
  /// writing the meta page and its sync. What we read may then be in no more than the cache, while the disk still has
  /// the state before, whose pages we are about to use again. Syncing alone would not do: after a failed sync the system
  /// takes the page for written, and the file for as long as it last was. So both are done again.
  void ensureNewestIsDurable() throws IOException {
    if (newestIsDurable || options.noSync()) {
      return;
    }
    if (newest.sizeBytes() < fileBytes) {
      file.resize(newest.sizeBytes());
      fileBytes = newest.sizeBytes();
    }
    writeMeta(newest.meta);
    newestIsDurable = true;
  }

  void sync() throws IOException {
    if (!options.noSync()) {
      file.sync();
    }
  }

  void writeMeta(Meta meta) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(pageSize);
    long slot = meta.txid() % 2;
    meta.write(page, 0, slot);
    file.write(page, slot * pageSize);
    sync();
  }

  /// Makes `meta`, which is durable, what readers get from now on.
  Committed publish(Meta meta, PageRuns freed, PageRuns allocated) {
    Pages pages = new Pages(mapped.mapping.segment(), pageSize, meta.pageCount(), file.path());
    long pending = pendingPages.size();
    Committed old = newest;
    Committed made = new Committed(meta, pages, mapped, freePages.size(), pending);
    newest = made;
    old.release();
    heldStates.add(old);
    heldStates.removeIf(state -> !state.isHeld());
    pendingPages.committed(meta.txid(), freed, allocated, !heldStates.isEmpty());
    return made;
  }
}
