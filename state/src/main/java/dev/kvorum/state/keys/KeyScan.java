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
    Matches matches = new Matches(options.keysOnly());
    IndexView.Walk walk = walk(state);
    boolean standing = walk.next();
    for (int looked = 0; standing && looked < keysMax; standing = walk.next(), looked++) {
      if (walk.isLiveAt(rev)) {
        count++;
        if (passes(walk)) {
          if (records + matches.count() < limit) {
            matches.add(walk);
          } else {
            more = true;
          }
        }
      }
    }
    addUp(state, matches);
    from = standing ? walk.key() : null;
    return standing || measuredAll();
  }

  private boolean measuredAll() {
    measured = true;
    from = range.startArray();
    return false;
  }

  private void addUp(KvState state, Matches matches) throws CorruptionException {
    int[] lengths = new int[matches.count()];
    if (options.keysOnly()) {
      byte[][] described = matches.records();
      Arrays.setAll(lengths, i -> described[i].length);
    } else {
      new RecordFetch(state).lengths(matches.mains(), matches.subs(), lengths.length, lengths);
    }
    for (int length : lengths) {
      bytes += 1 + ProtoWriter.varintSize(length) + length;
    }
    records += lengths.length;
  }

  /// The revision it reads at.
  public long revision() {
    return revision;
  }

  /// What the records take as fields of a message, each with a tag of one byte and its length. Once measured.
  public long bytes() {
    return bytes;
  }

  /// How many records there are. Once measured.
  public long records() {
    return records;
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
      Matches matches = collect(state, keys);
      byte[][] kvs = read(state, matches, keys > 1 ? (long) EXCESS_MAX * pieceBytes : Long.MAX_VALUE);
      if (kvs != null) {
        Invariant.check(kvs.length > 0, "fewer keys are read than were measured");
        given += kvs.length;
        return kvs;
      }
      from = begin;
      keys /= 2;
    }
  }

  private Matches collect(KvState state, int keys) {
    long rev = state.forIndex(revision);
    Matches matches = new Matches(options.keysOnly());
    IndexView.Walk walk = walk(state);
    boolean standing = walk.next();
    for (; standing && matches.count() < keys; standing = walk.next()) {
      if (walk.isLiveAt(rev) && passes(walk)) {
        matches.add(walk);
      }
    }
    from = standing ? walk.key() : null;
    return matches;
  }

  private byte @Nullable [][] read(KvState state, Matches matches, long bytesMax) throws CorruptionException {
    if (options.keysOnly()) {
      return matches.records();
    }
    byte[][] kvs = new byte[matches.count()][];
    RecordFetch fetch = new RecordFetch(state);
    return fetch.records(matches.mains(), matches.subs(), kvs.length, kvs, bytesMax) ? kvs : null;
  }

  private IndexView.Walk walk(KvState state) {
    if (from == null) {
      return state.index().walk(KeyRange.NONE);
    }
    return state.index().walk(range.isSingle() ? range : range.startingAt(from));
  }

  private boolean passes(IndexView.Walk walk) {
    return !options.hasFilters() || options.passes(walk.foundMain(), walk.foundCreated());
  }
}
