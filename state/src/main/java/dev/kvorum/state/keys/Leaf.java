package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Up to [#WIDTH] keys in order, packed: what all have in common is kept once, and numbers take the bytes they need.
///
/// ```
///  /registry/pods/default/nginx-1   put at 7                     prefix  31 bytes less one
///  /registry/pods/default/nginx-2   put at 8, and again at 12
///
///  text    /registry/pods/default/nginx-12
///  rows    end 1, main 7, …  │  end 2, main 12, age 4, changes 1, older 1        see [RowLayout]
///  live    1 1
///  logs    null, {8}                                             null unless a key has older revisions
/// ```
/// A key object and an entry object for each of a million keys would take 120 MB; this takes about 20, and a copy of a
/// leaf, which each batch of changes begins with, copies some hundred bytes. Keys never change in place: a leaf with one
/// key more is a new leaf. Rows do, while the batch that made the leaf lasts.
final class Leaf extends Node {
  /// Entries of a full leaf. At most 64: live entries are marked in the bits of one long.
  static final int WIDTH = 32;

  /// Below this a leaf looks for a sibling to join.
  static final int WIDTH_MIN = 8;

  /// The widest leaf a join or a bulk load makes: leaving room, so that the next insert does not split it.
  static final int WIDTH_LOADED = 28;

  /// A leaf past this is split at its next key: copying one must stay cheap, however long keys are.
  static final int TEXT_BYTES_MAX = 4096;

  private final int size;
  private final int prefix;
  private final byte[] text;
  private RowLayout layout;
  private byte[] rows;
  private long live;
  private @Nullable RevisionLog @Nullable [] logs;

  private Leaf(
      long owner,
      int size,
      int prefix,
      byte[] text,
      RowLayout layout,
      byte[] rows,
      long live,
      @Nullable RevisionLog @Nullable [] logs) {
    super(owner);
    this.size = size;
    this.prefix = prefix;
    this.text = text;
    this.layout = layout;
    this.rows = rows;
    this.live = live;
    this.logs = logs;
  }

  /// A leaf of one key.
  static Leaf of(long owner, RowLayout.Catalogue layouts, byte[] key, KeyEntry entry) {
    return of(owner, layouts, new byte[][] {key}, new KeyEntry[] {entry}, 0, 1);
  }

  /// Packs `keys` and `entries` from `from` to `to`, which are in order and at least one.
  static Leaf of(long owner, RowLayout.Catalogue layouts, byte[][] keys, KeyEntry[] entries, int from, int to) {
    int size = to - from;
    byte[] first = keys[from];
    int shared = Arrays.mismatch(first, keys[to - 1]);
    int prefix = shared < 0 ? first.length : shared;
    int length = prefix;
    int widths = 0;
    for (int i = from; i < to; i++) {
      length += keys[i].length - prefix;
      widths = RowLayout.wider(widths, RowLayout.widthsFor(length - prefix, entries[i]));
    }
    RowLayout layout = layouts.of(widths);
    byte[] text = Arrays.copyOf(first, length);
    byte[] rows = layout.rows(size);
    RevisionLog[] logs = null;
    long live = 0;
    int end = prefix;
    for (int row = 0; row < size; row++) {
      byte[] key = keys[from + row];
      KeyEntry entry = entries[from + row];
      System.arraycopy(key, prefix, text, end, key.length - prefix);
      end += key.length - prefix;
      layout.end(rows, row, end - prefix);
      layout.write(rows, row, entry);
      live |= entry.isLive() ? 1L << row : 0;
      if (entry.log() != null) {
        logs = logs == null ? new RevisionLog[size] : logs;
        logs[row] = entry.log();
      }
    }
    return new Leaf(owner, size, prefix, text, layout, rows, live, logs);
  }

  /// One to edit in place.
  Leaf copy(long newOwner) {
    return new Leaf(newOwner, size, prefix, text, layout, rows.clone(), live, logs == null ? null : logs.clone());
  }

  @Override
  int size() {
    return size;
  }

  /// Whether it takes one key more.
  boolean hasRoomFor(byte[] key) {
    if (size == WIDTH) {
      return false;
    }
    int common = Math.min(prefix, key.length);
    int differ = Arrays.mismatch(key, 0, common, text, 0, common);
    common = differ < 0 ? common : differ;
    return text.length + (long) size * (prefix - common) + key.length <= TEXT_BYTES_MAX;
  }

  /// Whether it and its neighbour `right` make one leaf with room to grow.
  boolean fitsWith(Leaf right) {
    return size + right.size <= WIDTH_LOADED
        && text.length + right.text.length + Math.max(prefix, right.prefix) * (long) size <= TEXT_BYTES_MAX;
  }

  private int start(int row) {
    return row == 0 ? prefix : prefix + layout.end(rows, row - 1);
  }

  private int end(int row) {
    return prefix + layout.end(rows, row);
  }

  /// A copy of key `row`.
  byte[] key(int row) {
    int start = start(row);
    int end = end(row);
    byte[] key = Arrays.copyOf(text, prefix + end - start);
    System.arraycopy(text, start, key, prefix, end - start);
    return key;
  }

  /// How key `row` stands to `other`.
  int compareKey(int row, byte[] other) {
    int order = Arrays.compareUnsigned(text, 0, prefix, other, 0, Math.min(prefix, other.length));
    return order != 0
        ? order
        : Arrays.compareUnsigned(text, start(row), end(row), other, prefix, other.length);
  }

  /// Where `key` is, or `-(where it belongs) - 1`.
  int search(byte[] key) {
    int shared = Math.min(prefix, key.length);
    int differ = Arrays.mismatch(key, 0, shared, text, 0, shared);
    if (differ >= 0) {
      return (key[differ] & 0xff) < (text[differ] & 0xff) ? -1 : -size - 1;
    }
    if (key.length < prefix) {
      return -1;
    }
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      int order = Arrays.compareUnsigned(text, start(middle), end(middle), key, prefix, key.length);
      if (order == 0) {
        return middle;
      }
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return -low - 1;
  }

  /// The position of the first entry not below `key`.
  int ceiling(byte[] key) {
    int at = search(key);
    return at >= 0 ? at : -at - 1;
  }

  boolean isLive(int row) {
    return (live >>> row & 1) != 0;
  }

  /// The newest revision's.
  long main(int row) {
    return layout.main(rows, row);
  }

  /// The newest revision's.
  int sub(int row) {
    return layout.sub(rows, row);
  }

  boolean hasOlder(int row) {
    return logs != null && logs[row] != null;
  }

  KeyEntry entry(int row) {
    long main = layout.main(rows, row);
    long version = layout.changes(rows, row) + 1;
    return new KeyEntry(
        main,
        layout.sub(rows, row),
        main - layout.age(rows, row),
        isLive(row) ? version : -version,
        logs == null ? null : logs[row],
        layout.older(rows, row));
  }

  /// Replaces an entry in place.
  void set(int row, KeyEntry entry, RowLayout.Catalogue layouts) {
    if (!layout.fits(0, entry)) {
      widen(RowLayout.widthsFor(0, entry), layouts);
    }
    layout.write(rows, row, entry);
    long bit = 1L << row;
    live = entry.isLive() ? live | bit : live & ~bit;
    if (entry.log() != null && logs == null) {
      logs = new RevisionLog[size];
    }
    if (logs != null) {
      logs[row] = entry.log();
    }
  }

  private void widen(int widths, RowLayout.Catalogue layouts) {
    RowLayout wider = layouts.of(RowLayout.wider(layout.widths, widths));
    byte[] widened = wider.rows(size);
    for (int row = 0; row < size; row++) {
      wider.end(widened, row, layout.end(rows, row));
      wider.write(widened, row, entry(row));
    }
    layout = wider;
    rows = widened;
  }

  /// This leaf with one key more, for which there is room.
  Leaf inserted(long newOwner, RowLayout.Catalogue layouts, int at, byte[] key, KeyEntry entry) {
    int added = key.length - prefix;
    boolean sharesPrefix = added >= 0 && Arrays.equals(key, 0, prefix, text, 0, prefix);
    if (!sharesPrefix || !layout.fits(0, entry) || !layout.fitsEnd(text.length + added - prefix)) {
      byte[][] keys = keysAround(at, key);
      return of(newOwner, layouts, keys, entriesAround(at, entry), 0, keys.length);
    }
    int start = start(at);
    byte[] newText = new byte[text.length + added];
    System.arraycopy(text, 0, newText, 0, start);
    System.arraycopy(key, prefix, newText, start, added);
    System.arraycopy(text, start, newText, start + added, text.length - start);
    long below = live & ((1L << at) - 1);
    long newLive = below | (live ^ below) << 1 | (entry.isLive() ? 1L << at : 0);
    Leaf leaf =
        new Leaf(newOwner, size + 1, prefix, newText, layout, rowsAround(at, start + added, entry), newLive, null);
    if (logs != null || entry.log() != null) {
      leaf.logs = logsAround(at, entry.log());
    }
    return leaf;
  }

  private byte[] rowsAround(int at, int end, KeyEntry entry) {
    int stride = layout.stride;
    byte[] newRows = layout.rows(size + 1);
    System.arraycopy(rows, 0, newRows, 0, at * stride);
    System.arraycopy(rows, at * stride, newRows, (at + 1) * stride, (size - at) * stride);
    layout.end(newRows, at, end - prefix);
    layout.write(newRows, at, entry);
    int added = end - start(at);
    for (int row = at + 1; row <= size; row++) {
      layout.end(newRows, row, layout.end(newRows, row) + added);
    }
    return newRows;
  }

  private @Nullable RevisionLog[] logsAround(int at, @Nullable RevisionLog log) {
    RevisionLog[] newLogs = new RevisionLog[size + 1];
    if (logs != null) {
      System.arraycopy(logs, 0, newLogs, 0, at);
      System.arraycopy(logs, at, newLogs, at + 1, size - at);
    }
    newLogs[at] = log;
    return newLogs;
  }

  /// Keys `from` to `to`, at least one, as a leaf of their own.
  Leaf slice(long newOwner, int from, int to) {
    int begin = start(from);
    int shared = to - from == 1 ? end(from) - begin : sharedBySuffixes(from, to - 1);
    int newSize = to - from;
    int newPrefix = prefix + shared;
    byte[] newText = new byte[newPrefix + end(to - 1) - begin - newSize * shared];
    System.arraycopy(text, 0, newText, 0, prefix);
    System.arraycopy(text, begin, newText, prefix, shared);
    byte[] newRows = Arrays.copyOfRange(rows, from * layout.stride, to * layout.stride + RowLayout.ROOM);
    int at = newPrefix;
    for (int row = 0; row < newSize; row++) {
      int start = start(from + row) + shared;
      int length = end(from + row) - start;
      System.arraycopy(text, start, newText, at, length);
      at += length;
      layout.end(newRows, row, at - newPrefix);
    }
    long newLive = live >>> from & -1L >>> Long.SIZE - newSize;
    RevisionLog[] newLogs = logs == null ? null : Arrays.copyOfRange(logs, from, to);
    return new Leaf(newOwner, newSize, newPrefix, newText, layout, newRows, newLive, newLogs);
  }

  private int sharedBySuffixes(int a, int b) {
    int shared = Arrays.mismatch(text, start(a), end(a), text, start(b), end(b));
    return shared < 0 ? end(a) - start(a) : shared;
  }

  /// All keys with one more at `at`.
  private byte[][] keysAround(int at, byte[] key) {
    byte[][] keys = new byte[size + 1][];
    for (int row = 0; row < size; row++) {
      keys[row < at ? row : row + 1] = key(row);
    }
    keys[at] = key;
    return keys;
  }

  /// All entries with one more at `at`.
  private KeyEntry[] entriesAround(int at, KeyEntry entry) {
    KeyEntry[] entries = new KeyEntry[size + 1];
    for (int row = 0; row < size; row++) {
      entries[row < at ? row : row + 1] = entry(row);
    }
    entries[at] = entry;
    return entries;
  }

  Leaf join(Leaf right, long newOwner, RowLayout.Catalogue layouts) {
    byte[][] keys = new byte[size + right.size][];
    KeyEntry[] entries = new KeyEntry[keys.length];
    for (int row = 0; row < keys.length; row++) {
      keys[row] = row < size ? key(row) : right.key(row - size);
      entries[row] = row < size ? entry(row) : right.entry(row - size);
    }
    return of(newOwner, layouts, keys, entries, 0, keys.length);
  }

  @Override
  int live() {
    return Long.bitCount(live);
  }

  @Override
  int liveBelow(byte[] key) {
    int at = ceiling(key);
    return at == Long.SIZE ? live() : Long.bitCount(live & ((1L << at) - 1));
  }

  @Override
  long heapBytes() {
    long bytes = 56 + arrayBytes(text.length) + arrayBytes(rows.length);
    if (logs != null) {
      bytes += arrayBytes(4L * logs.length);
      for (RevisionLog log : logs) {
        bytes += log == null ? 0 : log.heapBytes();
      }
    }
    return bytes;
  }

  /// The shortest key above `low` and not above `high`: what a branch remembers of a border between two leaves.
  static byte[] divider(byte[] low, byte[] high) {
    return Arrays.copyOf(high, Arrays.mismatch(low, high) + 1);
  }

  @Override
  void checkInvariants(byte @Nullable [] low, byte @Nullable [] high) {
    Invariant.check(size > 0 && size <= WIDTH, "leaf size");
    Invariant.check(rows.length == size * layout.stride + RowLayout.ROOM, "length of rows");
    Invariant.check(end(size - 1) == text.length, "text and rows disagree");
    Invariant.check(live >>> 1 >>> size - 1 == 0, "live marks past the end");
    byte[] before = null;
    for (int row = 0; row < size; row++) {
      byte[] key = key(row);
      checkBetween(key, low, high);
      Invariant.check(before == null || Arrays.compareUnsigned(before, key) < 0, "leaf keys out of order");
      KeyEntry entry = entry(row);
      Invariant.check((entry.last() > 0) == (entry.log() != null), "older revisions counted, not known");
      before = key;
    }
  }
}
