package dev.kvorum.state.keys;

import dev.kvorum.bolt.Cursor;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.backend.RevisionKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// One range over a [KvState], in etcd's order of doing things: the index names the revisions (up to the limit, where
/// nothing is sorted or filtered afterwards), their records are fetched, filtered, sorted, cut.
///
/// With a sort target other than the key and no order given, etcd cuts first (one above the limit), then sorts what is
/// left ascending and cuts again. So do we.
///
/// Source: api.md §3.1; etcd `server/etcdserver/txn/range.go`.
final class RangeQuery {
  private static final int SORTED_FETCH_MIN = 8;
  private static final int STEPS_MAX = 8;
  private static final byte[] NO_VALUE = {};
  private static final byte[][] NOTHING = {};

  private final KvState state;
  private final KeyRange range;
  private final RangeOptions options;

  // The matches, in key order.
  private KeyEntry[] entries = new KeyEntry[16];
  private int[] positions = new int[16];
  private int matches;
  private long count;

  private RangeQuery(KvState state, KeyRange range, RangeOptions options) {
    this.state = state;
    this.range = range;
    this.options = options;
  }

  static RangeResult run(KvState state, KeyRange range, RangeOptions options) throws CorruptionException {
    long rev = state.resolve(options.revision());
    if (options.countOnly()) {
      long count = state.index().count(range, state.forIndex(rev));
      return new RangeResult(NOTHING, count, false, state.currentRevision());
    }
    if (range.isSingle() && !options.keysOnly() && !options.hasFilters()) {
      return one(state, range.startArray(), rev);
    }
    return new RangeQuery(state, range, options).run(rev);
  }

  /// The most frequent range there is: nothing to count, sort or cut.
  private static RangeResult one(KvState state, byte[] key, long rev) throws CorruptionException {
    byte[] record = state.at(key, rev);
    return record == null
        ? new RangeResult(NOTHING, 0, false, state.currentRevision())
        : new RangeResult(new byte[][] {record}, 1, false, state.currentRevision());
  }

  private RangeResult run(long rev) throws CorruptionException {
    collect(state.forIndex(rev));
    boolean fromIndex = options.keysOnly() && options.target() != RangeOptions.SortTarget.VALUE;
    byte[][] kvs = fromIndex ? describe() : fetch();
    if (options.hasFilters() || isSorted()) {
      kvs = filterAndSort(kvs);
    }
    boolean more = options.limit() > 0 && kvs.length > options.limit();
    if (more) {
      kvs = Arrays.copyOf(kvs, (int) options.limit());
    }
    if (options.keysOnly() && !fromIndex) {
      for (int i = 0; i < kvs.length; i++) {
        kvs[i] = StoredKv.decode(kvs[i]).withoutValue();
      }
    }
    return new RangeResult(kvs, count, more, state.currentRevision());
  }

  private boolean isSorted() {
    return options.target() != RangeOptions.SortTarget.KEY || !options.isIndexOrder();
  }

  /// The most matches to collect: one above the limit, to know whether there are more.
  private long collectMax() {
    boolean limited = options.limit() > 0 && options.isIndexOrder() && !options.hasFilters();
    return limited && options.limit() < Long.MAX_VALUE ? options.limit() + 1 : Long.MAX_VALUE;
  }

  private void collect(long rev) {
    if (range.isSingle()) {
      KeyEntry entry = state.index().find(range.startArray());
      int at = entry == null ? -1 : entry.liveAt(rev);
      if (entry != null && at >= 0) {
        add(entry, at);
      }
      count = matches;
      return;
    }
    long max = collectMax();
    IndexView.Walk walk = state.index().walk(range);
    KeyEntry entry = walk.next();
    for (; entry != null && matches < max; entry = walk.next()) {
      int at = entry.liveAt(rev);
      if (at >= 0) {
        add(entry, at);
      }
    }
    count = matches;
    if (entry != null && options.withCount()) {
      count = rev == IndexView.LATEST ? state.index().countLatest(range) : matches + rest(entry, walk, rev);
    }
  }

  private static long rest(KeyEntry first, IndexView.Walk walk, long rev) {
    long rest = 0;
    for (KeyEntry entry = first; entry != null; entry = walk.next()) {
      rest += entry.liveAt(rev) >= 0 ? 1 : 0;
    }
    return rest;
  }

  private void add(KeyEntry entry, int at) {
    if (matches == entries.length) {
      entries = Arrays.copyOf(entries, 2 * matches);
      positions = Arrays.copyOf(positions, 2 * matches);
    }
    entries[matches] = entry;
    positions[matches++] = at;
  }

  /// The matches as the index knows them: without value and lease.
  private byte[][] describe() {
    byte[][] kvs = new byte[matches][];
    for (int i = 0; i < matches; i++) {
      KeyEntry entry = entries[i];
      int at = positions[i];
      kvs[i] =
          StoredKv.encode(entry.key, entry.createdAt(at), entry.mainAt(at), entry.versionAt(at), NO_VALUE, 0);
    }
    return kvs;
  }

  private byte[][] fetch() throws CorruptionException {
    byte[][] kvs = new byte[matches][];
    if (matches < SORTED_FETCH_MIN) {
      for (int i = 0; i < matches; i++) {
        kvs[i] = state.record(entries[i].mainAt(positions[i]), entries[i].subAt(positions[i]));
      }
    } else {
      fetchMany(kvs);
    }
    return kvs;
  }

  /// Fetches in order of revision, so that the cursor goes forward only and revisions written together are found
  /// together.
  private void fetchMany(byte[][] kvs) throws CorruptionException {
    long firstPending = state.pending().length == 0 ? Long.MAX_VALUE : state.pending()[0].firstMain();
    long[] mains = new long[matches];
    int inBolt = 0;
    boolean ascending = true;
    int[] order = new int[matches];
    for (int i = 0; i < matches; i++) {
      long main = entries[i].mainAt(positions[i]);
      mains[i] = main;
      if (main >= firstPending) {
        kvs[i] = state.record(main, entries[i].subAt(positions[i]));
      } else {
        ascending &= inBolt == 0 || mains[order[inBolt - 1]] <= main;
        order[inBolt++] = i;
      }
    }
    if (!ascending) {
      order = sortedByMain(mains, order, inBolt);
    }
    Cursor cursor = state.cursor();
    byte[] key = new byte[RevisionKey.SIZE];
    byte[] found = new byte[RevisionKey.TOMBSTONE_SIZE];
    long at = -STEPS_MAX - 1;
    for (int i = 0; i < inBolt; i++) {
      int match = order[i];
      int sub = entries[match].subAt(positions[match]);
      RevisionKey.write(key, mains[match], sub);
      boolean near = mains[match] - at <= STEPS_MAX && mains[match] >= at;
      if (!(near && stepTo(cursor, key, found)) && !(cursor.seek(key) && isAt(cursor, key, found))) {
        throw RevisionReader.missing(mains[match], sub);
      }
      kvs[match] = cursor.value();
      at = mains[match];
    }
  }

  private static boolean stepTo(Cursor cursor, byte[] key, byte[] found) throws CorruptionException {
    for (int step = 0; step < STEPS_MAX; step++) {
      if (isAt(cursor, key, found)) {
        return true;
      }
      if (!cursor.next()) {
        return false;
      }
    }
    return isAt(cursor, key, found);
  }

  private static boolean isAt(Cursor cursor, byte[] key, byte[] found) {
    if (cursor.keyLength() != RevisionKey.SIZE) {
      return false;
    }
    cursor.copyKey(found, 0);
    return RevisionKey.main(found) == RevisionKey.main(key) && RevisionKey.sub(found) == RevisionKey.sub(key);
  }

  /// Positions ordered by main: each packed under its main's distance from the lowest, where that fits.
  private static int[] sortedByMain(long[] mains, int[] order, int count) {
    long lowest = Long.MAX_VALUE;
    long highest = 0;
    for (int i = 0; i < count; i++) {
      lowest = Math.min(lowest, mains[order[i]]);
      highest = Math.max(highest, mains[order[i]]);
    }
    if (highest - lowest > Integer.MAX_VALUE) {
      Integer[] boxed = new Integer[count];
      Arrays.setAll(boxed, i -> order[i]);
      Arrays.sort(boxed, Comparator.comparingLong(i -> mains[i]));
      return Arrays.stream(boxed).mapToInt(Integer::intValue).toArray();
    }
    long[] packed = new long[count];
    for (int i = 0; i < count; i++) {
      packed[i] = mains[order[i]] - lowest << 32 | order[i];
    }
    Arrays.sort(packed);
    int[] sorted = new int[count];
    for (int i = 0; i < count; i++) {
      sorted[i] = (int) packed[i];
    }
    return sorted;
  }

  private byte[][] filterAndSort(byte[][] kvs) {
    List<StoredKv> decoded = new ArrayList<>(kvs.length);
    Predicate<StoredKv> passes = filter();
    for (byte[] kv : kvs) {
      StoredKv candidate = StoredKv.decode(kv);
      if (passes.test(candidate)) {
        decoded.add(candidate);
      }
    }
    Comparator<StoredKv> order = order();
    if (order != null) {
      decoded.sort(order);
    }
    byte[][] result = new byte[decoded.size()][];
    for (int i = 0; i < result.length; i++) {
      result[i] = decoded.get(i).record();
    }
    return result;
  }

  private Predicate<StoredKv> filter() {
    long minMod = options.minModRevision();
    long maxMod = options.maxModRevision();
    long minCreate = options.minCreateRevision();
    long maxCreate = options.maxCreateRevision();
    return kv ->
        (maxMod == 0 || kv.modRevision() <= maxMod)
            && (minMod == 0 || kv.modRevision() >= minMod)
            && (maxCreate == 0 || kv.createRevision() <= maxCreate)
            && (minCreate == 0 || kv.createRevision() >= minCreate);
  }

  private @Nullable Comparator<StoredKv> order() {
    if (!isSorted()) {
      return null;
    }
    Comparator<StoredKv> ascending =
        switch (options.target()) {
          case KEY -> StoredKv::compareKey;
          case VERSION -> Comparator.comparingLong(StoredKv::version);
          case CREATE -> Comparator.comparingLong(StoredKv::createRevision);
          case MOD -> Comparator.comparingLong(StoredKv::modRevision);
          case VALUE -> StoredKv::compareValue;
        };
    return options.order() == RangeOptions.SortOrder.DESCEND ? ascending.reversed() : ascending;
  }
}
