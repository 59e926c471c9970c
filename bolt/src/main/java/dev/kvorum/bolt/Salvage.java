package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The last resort: reads what can be read of a broken file and writes it into a fresh one.
///
/// It walks the newest state as far as pages allow. What cannot be read (a page, an element) is told with its offset
/// and skipped, and the walk goes on beside it. So is a key that is out of order: a rotten one. It needs one valid meta page, for only that knows where to begin; if the
/// root of all is lost, it reads the state before.
///
/// A lost branch page takes all below it along, though the leaves themselves may be whole. If asked, salvage looks for
/// such *stray* leaves: pages in nobody's use, whose keys lie where keys are missing. Since a file is full of former
/// pages, these may hold keys deleted or overwritten long ago; so they never replace what the walk found, and are
/// counted apart.
public final class Salvage {
  private static final int COMMIT_KEYS = 10_000;
  private static final double FILL_PERCENT = 0.9;

  /// A part of a bucket's keys that a lost page took along: from `least` to below `beyond`, null meaning without end.
  private record Gap(List<byte[]> path, byte @Nullable [] least, byte @Nullable [] beyond) {
    boolean holds(byte[] key) {
      return (least == null || compare(key, least) >= 0) && (beyond == null || compare(key, beyond) < 0);
    }

    private static int compare(byte[] a, byte[] b) {
      return KeyOrder.compare(a, 0, a.length, b, 0, b.length);
    }
  }

  private static final Gap ANYWHERE = new Gap(List.of(), null, null);

  private final Pages pages;
  private final Meta meta;
  private final Bolt target;
  private final PageSet seen = new PageSet();
  private final ArrayDeque<byte[]> path = new ArrayDeque<>();
  private final List<Gap> gaps = new ArrayList<>();
  private final List<SalvageReport.Loss> losses = new ArrayList<>();
  private long lossesMore;
  private long buckets;
  private long keys;
  private long strayKeys;

  private @Nullable WriteTx tx;
  private @Nullable Bucket bucket;
  private int keysInTx;

  private Salvage(Pages pages, Meta meta, Bolt target) {
    this.pages = pages;
    this.meta = meta;
    this.target = target;
  }

  /// Writes what can be read of `source` to `target`, which must not exist.
  ///
  /// @param strays whether to take keys from pages nothing points to, where pages are lost
  /// @throws CorruptionException when neither meta page is valid
  public static SalvageReport run(Disk disk, Path source, Path target, boolean strays) throws IOException {
    try (DiskFile from = Surgery.lockedSource(disk, source)) {
      MetaPages.Both metas = MetaPages.read(from);
      Meta meta = metas.newest();
      if (meta == null) {
        throw new CorruptionException(source, 0, "neither meta page is valid: " + metas.first().flaw());
      }
      disk.open(target, Disk.OpenMode.CREATE_NEW).close();
      long present = Math.min(meta.pageCount(), from.size() / meta.pageSize());
      try (DiskFile.Mapping map = from.map(Math.max(1, present * meta.pageSize()));
          Bolt to = Bolt.open(disk, target, optionsFor(meta))) {
        Pages pages = new Pages(map.segment(), meta.pageSize(), present, source);
        Meta older = metas.older();
        if (older != null && !isReadable(pages, meta.root()) && isReadable(pages, older.root())) {
          Salvage salvage = new Salvage(pages, older, to);
          salvage.lose(meta.root() * meta.pageSize(),
              "the root of transaction " + meta.txid() + " cannot be read; what follows is the state before");
          return salvage.run(strays);
        }
        return new Salvage(pages, meta, to).run(strays);
      }
    }
  }

  private static boolean isReadable(Pages pages, long id) {
    try {
      pages.at(id);
      return true;
    } catch (CorruptionException e) {
      return false;
    }
  }

  private static BoltOptions optionsFor(Meta meta) {
    return BoltOptions.defaults().withInitialMapBytes(0).withPageSize(Math.clamp(meta.pageSize(), 1024, 65536));
  }

  private SalvageReport run(boolean strays) throws IOException {
    if (pages.pageCount < meta.pageCount()) {
      lose(pages.pageCount * pages.pageSize,
          "file ends here, " + (meta.pageCount() - pages.pageCount) + " pages before its last");
    }
    tx = target.beginWrite();
    bucket = tx.root();
    walkPage(meta.root(), null, null, 0);
    if (strays && !gaps.isEmpty()) {
      findStrays();
    }
    commit();
    return new SalvageReport(meta.txid(), buckets, keys, strayKeys, List.copyOf(losses), lossesMore);
  }

  private void lose(long offset, String what) {
    if (losses.size() < SalvageReport.LOSSES_MAX) {
      losses.add(new SalvageReport.Loss(offset, what));
    } else {
      lossesMore++;
    }
  }

  /// Saves what is below page `id`, whose keys should lie from `least` to below `beyond`.
  private void walkPage(long id, byte @Nullable [] least, byte @Nullable [] beyond, int depth) throws IOException {
    long at;
    try {
      at = pages.at(id);
      if (depth > Page.DEPTH_MAX) {
        throw pages.corrupt(at, "pages nest without end");
      }
      if (!seen.add(id)) {
        throw pages.corrupt(at, "page " + id + ": multiple references");
      }
    } catch (CorruptionException e) {
      long offset = id >= 2 && id < pages.pageCount ? id * pages.pageSize : e.offset();
      lose(offset, reason(e) + "; lost with it: " + extent(least, beyond));
      gaps.add(new Gap(List.copyOf(path), least, beyond));
      return;
    }
    if (pages.isBranch(at)) {
      walkBranch(at, least, beyond, depth);
    } else {
      walkLeaf(at, pages.end(at), boundsOf(id, at, least, beyond), "leaf page " + id, false, depth);
    }
  }

  /// Between which keys a leaf's lie. Where most do not, it is the keys above them that are rotten.
  private Gap boundsOf(long id, long at, byte @Nullable [] least, byte @Nullable [] beyond) {
    Gap bounds = new Gap(List.of(), least, beyond);
    int outside = 0;
    for (int i = 0; i < pages.count(at); i++) {
      byte[] key = leafKey(at, pages.end(at), i);
      outside += key == null || bounds.holds(key) ? 0 : 1;
    }
    if (outside <= pages.count(at) / 2) {
      return bounds;
    }
    lose(at, "the keys above leaf page " + id + " are out of order; nothing is lost with them");
    return ANYWHERE;
  }

  /// @return null if it cannot be read, or there is none
  private byte @Nullable [] leafKey(long at, long end, int i) {
    if (i >= pages.count(at)) {
      return null;
    }
    long element = Pages.element(at, i);
    try {
      return bytes(pages.leafKeyAt(element, end), pages.leafKeyLength(element));
    } catch (CorruptionException e) {
      return null;
    }
  }

  /// Whether `key` cannot be what was once written there: what stands under it belongs to a key nobody knows.
  ///
  /// @param previous the last one that could; null before the first
  private static boolean isOutOfPlace(
      byte[] key, byte @Nullable [] previous, byte @Nullable [] next, Gap bounds) {
    if (!bounds.holds(key) || previous != null && Gap.compare(key, previous) <= 0) {
      return true;
    }
    boolean nextMayFollow =
        next != null && bounds.holds(next) && (previous == null || Gap.compare(next, previous) > 0);
    return nextMayFollow && Gap.compare(key, next) >= 0;
  }

  private void walkBranch(long at, byte @Nullable [] least, byte @Nullable [] beyond, int depth) throws IOException {
    long end = pages.end(at);
    int count = pages.count(at);
    byte[] next = count == 0 ? null : branchKey(at, end, 0);
    for (int i = 0; i < count; i++) {
      byte[] from = i == 0 ? least : next;
      next = i + 1 < count ? branchKey(at, end, i + 1) : null;
      walkPage(pages.child(Pages.element(at, i)), from, i + 1 < count ? next : beyond, depth + 1);
    }
  }

  /// @return null if it cannot be read: where its child begins is then unknown, not what it holds
  private byte @Nullable [] branchKey(long at, long end, int i) {
    long element = Pages.element(at, i);
    try {
      return bytes(pages.branchKeyAt(element, end), pages.branchKeyLength(element));
    } catch (CorruptionException e) {
      return null;
    }
  }

  private void walkLeaf(long at, long end, Gap bounds, String name, boolean stray, int depth) throws IOException {
    byte[] previous = null;
    for (int i = 0; i < pages.count(at); i++) {
      long element = Pages.element(at, i);
      try {
        long keyAt = pages.leafKeyAt(element, end);
        byte[] key = bytes(keyAt, pages.leafKeyLength(element));
        if (isOutOfPlace(key, previous, leafKey(at, end, i + 1), bounds)) {
          throw pages.corrupt(keyAt, "its key " + hex(key) + " is out of order");
        }
        previous = key;
        long valueAt = keyAt + key.length;
        int valueLength = pages.leafValueLength(element);
        if (pages.leafFlags(element) == Page.BUCKET) {
          saveBucket(key, valueAt, valueLength, depth);
        } else {
          save(key, valueAt, valueLength, stray);
        }
      } catch (CorruptionException e) {
        lose(e.offset(), "element " + i + " of " + pages.count(at) + " on " + name + ": " + reason(e));
      }
    }
  }

  private void save(byte[] key, long valueAt, int valueLength, boolean stray) throws IOException {
    if (path.isEmpty()) {
      throw pages.corrupt(valueAt, "a value among the buckets, under " + hex(key));
    }
    if (bucket().bucket(key) != null) {
      throw pages.corrupt(valueAt, "a value under the name of a bucket, " + hex(key));
    }
    if (stray && bucket().get(key) != null) {
      return;
    }
    bucket().put(key, bytes(valueAt, valueLength));
    keys++;
    strayKeys += stray ? 1 : 0;
    if (++keysInTx >= COMMIT_KEYS) {
      commit();
    }
  }

  private void saveBucket(byte[] name, long valueAt, int valueLength, int depth) throws IOException {
    if (valueLength < Page.BUCKET_BYTES) {
      throw pages.corrupt(valueAt, "bucket header of " + valueLength + " bytes");
    }
    if (!path.isEmpty() && bucket().get(name) != null) {
      throw pages.corrupt(valueAt, "a bucket under the name of a value, " + hex(name));
    }
    long root = pages.map.get(Page.LONG, valueAt);
    Bucket outer = bucket();
    Bucket inner = outer.createBucketIfAbsent(name);
    inner.setSequence(pages.map.get(Page.LONG, valueAt + 8));
    inner.fillPercent(FILL_PERCENT);
    buckets++;
    path.addLast(name);
    bucket = inner;
    if (root != 0) {
      walkPage(root, null, null, depth + 1);
    } else {
      walkInline(valueAt + Page.BUCKET_BYTES, valueAt + valueLength, depth);
    }
    path.removeLast();
    bucket = null; // to be found again
  }

  private void walkInline(long at, long end, int depth) throws IOException {
    long word = at + Page.HEADER_BYTES > end ? 0 : pages.map.get(Page.LONG, at + 8);
    if (Page.flags(word) != Page.LEAF || Pages.element(at, Page.count(word)) > end) {
      lose(at, "inline page is no leaf; lost with it: " + extent(null, null));
      return;
    }
    walkLeaf(at, end, ANYWHERE, "an inline page", false, depth + 1);
  }

  /// Takes keys missing so far from leaves that nothing points to, those later in the file first.
  private void findStrays() throws IOException {
    List<byte[]> where = List.copyOf(path);
    for (long id = pages.pageCount - 1; id >= 2; id--) {
      Gap gap = seen.contains(id) ? null : gapOf(id);
      if (gap == null) {
        continue;
      }
      path.clear();
      path.addAll(gap.path);
      bucket = null;
      long at = pages.at(id);
      seen.add(id);
      walkLeaf(at, pages.end(at), ANYWHERE, "stray leaf page " + id, true, 0);
    }
    path.clear();
    path.addAll(where);
    bucket = null;
  }

  /// The gap into which all of page `id` fits, if it is a sound leaf of plain values.
  private @Nullable Gap gapOf(long id) {
    try {
      long at = pages.at(id);
      if (pages.isBranch(at) || pages.count(at) == 0) {
        return null;
      }
      long end = pages.end(at);
      Gap gap = null;
      byte[] previous = null;
      for (int i = 0; i < pages.count(at); i++) {
        long element = Pages.element(at, i);
        byte[] key = bytes(pages.leafKeyAt(element, end), pages.leafKeyLength(element));
        gap = i == 0 ? gapFor(key) : gap;
        if (gap == null
            || !gap.holds(key)
            || pages.leafFlags(element) != 0
            || (previous != null && Gap.compare(previous, key) >= 0)) {
          return null;
        }
        previous = key;
      }
      return gap;
    } catch (CorruptionException e) {
      return null;
    }
  }

  private @Nullable Gap gapFor(byte[] key) {
    for (Gap gap : gaps) {
      if (!gap.path.isEmpty() && gap.holds(key)) {
        return gap;
      }
    }
    return null;
  }

  /// The bucket that [#path] names, in the current transaction.
  private Bucket bucket() throws IOException {
    if (tx == null) {
      tx = target.beginWrite();
      bucket = null;
    }
    Bucket at = bucket;
    if (at == null) {
      at = tx.root();
      for (byte[] name : path) {
        at = at.createBucketIfAbsent(name);
        at.fillPercent(FILL_PERCENT);
      }
      bucket = at;
    }
    return at;
  }

  private void commit() throws IOException {
    WriteTx current = tx;
    tx = null;
    bucket = null;
    keysInTx = 0;
    if (current != null) {
      current.commit();
    }
  }

  private byte[] bytes(long at, int length) {
    byte[] bytes = new byte[length];
    MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, at, bytes, 0, length);
    return bytes;
  }

  private String extent(byte @Nullable [] least, byte @Nullable [] beyond) {
    String where = path.isEmpty() ? "all buckets" : "keys of bucket " + pathText();
    return where + (least == null ? "" : " from " + hex(least)) + (beyond == null ? "" : " to below " + hex(beyond));
  }

  private String pathText() {
    StringBuilder text = new StringBuilder();
    for (byte[] name : path) {
      text.append(text.isEmpty() ? "" : "/").append(hex(name));
    }
    return text.toString();
  }

  private static String hex(byte[] key) {
    return "0x" + HexFormat.of().formatHex(key);
  }

  /// What went wrong, without the place, which is told apart.
  private String reason(CorruptionException e) {
    String message = String.valueOf(e.getMessage());
    int place = message.lastIndexOf(" (");
    return place < 0 ? message : message.substring(0, place);
  }
}
