package dev.kvorum.state.keys;

import dev.kvorum.api.ProtoWriter;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A range in key order at one revision, too large to be held: it is measured first, then read in pieces.
///
/// Neither holds a view between two steps. Any view serves that still knows the revision ([#isKnownTo]), and all of
/// them give the same bytes; so a slow reader pins no page of the file. What [#measure] found is what [#next] will give:
///
/// ```java
/// KeyScan scan = new KeyScan(view, range, options);   // fixes the revision
/// while (scan.measure(view, 8192)) {}                 // now bytes(), count() and more() are known
/// byte[][] piece = scan.next(newerView, 1 << 20);     // until it is empty
/// ```
///
/// One thread's at a time.
public final class KeyScan {
  /// A piece may be this much larger than asked for before it is read again with fewer keys.
  private static final int EXCESS_MAX = 2;

  private final KeyRange range;
  private final RangeOptions options;
  private final long revision;
  private final long limit;

  private byte @Nullable [] from;
  private long records;
  private long bytes;
  private long count;
  private boolean more;
  private boolean measured;
  private long given;

  // The matches of one step, in key order.
  private KeyEntry[] entries = new KeyEntry[256];
  private int[] positions = new int[256];
  private int matches;

  /// Whether a range of these options is in key order, as the index has it.
  public static boolean suits(RangeOptions options) {
    return options.target() == RangeOptions.SortTarget.KEY && options.isIndexOrder() && !options.countOnly();
  }

  /// @param view the revision to read at is resolved there
  /// @throws dev.kvorum.api.EtcdException `COMPACTED` or `FUTURE_REV`
  public KeyScan(KvView view, KeyRange range, RangeOptions options) {
    Invariant.check(suits(options), "a scan is in key order");
    this.range = range;
    this.options = options;
    this.revision = view.state().resolve(options.revision());
    this.limit = options.limit() > 0 ? options.limit() : Long.MAX_VALUE;
    this.from = range.startArray();
  }

  public boolean isKnownTo(KvView view) {
    return view.compactRevision() <= revision && view.currentRevision() >= revision;
  }

  /// Looks at the next keys and adds up what their records take.
  ///
  /// @param keysMax how many to look at
  /// @return whether there are more to look at
  public boolean measure(KvView view, int keysMax) throws CorruptionException {
    Invariant.check(!measured, "a scan is measured twice");
    boolean latest = view.currentRevision() == revision;
    if (latest && records >= limit && (more || !options.hasFilters())) {
      count = view.state().index().countLatest(range);
      more |= count > limit;
      return measuredAll();
    }
    KvState state = view.state();
    long rev = state.forIndex(revision);
    matches = 0;
    int looked = 0;
    IndexView.Walk walk = walk(state);
    KeyEntry entry = walk.next();
    for (; entry != null && looked < keysMax; entry = walk.next(), looked++) {
      int at = entry.liveAt(rev);
      if (at >= 0) {
        count++;
        if (passes(entry, at)) {
          if (records + matches < limit) {
            add(entry, at);
          } else {
            more = true;
          }
        }
      }
    }
    addUp(state);
    from = entry == null ? null : entry.key;
    return entry != null || measuredAll();
  }

  private boolean measuredAll() {
    measured = true;
    from = range.startArray();
    return false;
  }

  private void addUp(KvState state) throws CorruptionException {
    int[] lengths = new int[matches];
    if (options.keysOnly()) {
      for (int i = 0; i < matches; i++) {
        KeyEntry entry = entries[i];
        int at = positions[i];
        lengths[i] =
            StoredKv.describedSize(entry.key, entry.createdAt(at), entry.mainAt(at), entry.versionAt(at));
      }
    } else {
      new RecordFetch(state).lengths(mains(), subs(), matches, lengths);
    }
    for (int length : lengths) {
      bytes += 1 + ProtoWriter.varintSize(length) + length;
    }
    records += matches;
  }

  /// The revision it reads at.
  public long revision() {
    return revision;
  }

  /// What the records take as fields of a message, each with a tag of one byte and its length. Once measured.
  public long bytes() {
    return bytes;
  }

  /// Keys in the interval, whatever limit and filters leave of them. Once measured.
  public long count() {
    return count;
  }

  /// Whether the limit cuts something off. Once measured.
  public boolean more() {
    return more;
  }

  /// The next records, of about `pieceBytes` together; none at the end.
  public byte[][] next(KvView view, int pieceBytes) throws CorruptionException {
    Invariant.check(measured && isKnownTo(view), "a scan reads what it has measured, where it is known");
    if (given == records) {
      return new byte[0][];
    }
    KvState state = view.state();
    byte[] begin = from;
    long left = records - given;
    int keys = (int) Math.clamp((double) pieceBytes * records / Math.max(1, bytes), 1, Math.min(left, 1 << 20));
    while (true) {
      collect(state, keys);
      byte[][] kvs = keys > 1 ? read(state, (long) EXCESS_MAX * pieceBytes) : read(state, Long.MAX_VALUE);
      if (kvs != null) {
        Invariant.check(kvs.length > 0, "fewer keys are read than were measured");
        given += kvs.length;
        return kvs;
      }
      from = begin;
      keys /= 2;
    }
  }

  private void collect(KvState state, int keys) {
    long rev = state.forIndex(revision);
    matches = 0;
    IndexView.Walk walk = walk(state);
    KeyEntry entry = walk.next();
    for (; entry != null && matches < keys; entry = walk.next()) {
      int at = entry.liveAt(rev);
      if (at >= 0 && passes(entry, at)) {
        add(entry, at);
      }
    }
    from = entry == null ? null : entry.key;
  }

  private byte @Nullable [][] read(KvState state, long bytesMax) throws CorruptionException {
    byte[][] kvs = new byte[matches][];
    if (!options.keysOnly()) {
      return new RecordFetch(state).records(mains(), subs(), matches, kvs, bytesMax) ? kvs : null;
    }
    for (int i = 0; i < matches; i++) {
      kvs[i] = StoredKv.describe(entries[i], positions[i]);
    }
    return kvs;
  }

  private IndexView.Walk walk(KvState state) {
    if (from == null) {
      return state.index().walk(KeyRange.NONE);
    }
    return state.index().walk(range.isSingle() ? range : range.startingAt(from));
  }

  private boolean passes(KeyEntry entry, int at) {
    return !options.hasFilters() || options.passes(entry.mainAt(at), entry.createdAt(at));
  }

  private void add(KeyEntry entry, int at) {
    if (matches == entries.length) {
      entries = Arrays.copyOf(entries, 2 * matches);
      positions = Arrays.copyOf(positions, 2 * matches);
    }
    entries[matches] = entry;
    positions[matches++] = at;
  }

  private long[] mains() {
    long[] mains = new long[matches];
    for (int i = 0; i < matches; i++) {
      mains[i] = entries[i].mainAt(positions[i]);
    }
    return mains;
  }

  private int[] subs() {
    int[] subs = new int[matches];
    for (int i = 0; i < matches; i++) {
      subs[i] = entries[i].subAt(positions[i]);
    }
    return subs;
  }
}
