package dev.kvorum.state.keys;

import dev.kvorum.env.CorruptionException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One range over a [KvState], in etcd's order of doing things: the index names the revisions (up to the limit, where
/// nothing is sorted or filtered afterwards), their records are fetched, filtered, sorted, cut.
///
/// With a sort target other than the key and no order given, etcd cuts first (one above the limit), then sorts what is
/// left ascending and cuts again. So do we.
///
/// Source: api.md §3.1; etcd `server/etcdserver/txn/range.go`.
final class RangeQuery {
  private static final byte[][] NOTHING = {};

  private final KvState state;
  private final KeyRange range;
  private final RangeOptions options;
  private final long bytesMax;

  private final Matches matches;
  private long count;

  private RangeQuery(KvState state, KeyRange range, RangeOptions options, long bytesMax) {
    this.state = state;
    this.range = range;
    this.options = options;
    this.bytesMax = bytesMax;
    this.matches = new Matches(options.keysOnly() && options.target() != RangeOptions.SortTarget.VALUE);
  }

  /// @param bytesMax the most the records found may take together, before they are filtered and cut
  /// @return null when they take more; nothing much has been read then
  static @Nullable RangeResult run(KvState state, KeyRange range, RangeOptions options, long bytesMax)
      throws CorruptionException {
    long rev = state.resolve(options.revision());
    if (options.countOnly()) {
      long count = state.index().count(range, state.forIndex(rev));
      return new RangeResult(NOTHING, count, false, state.currentRevision());
    }
    if (range.isSingle() && !options.keysOnly() && !options.hasFilters()) {
      return one(state, range.startArray(), rev);
    }
    return new RangeQuery(state, range, options, bytesMax).run(rev);
  }

  /// The most frequent range there is: nothing to count, sort or cut.
  private static RangeResult one(KvState state, byte[] key, long rev) throws CorruptionException {
    byte[] record = state.at(key, rev);
    return record == null
        ? new RangeResult(NOTHING, 0, false, state.currentRevision())
        : new RangeResult(new byte[][] {record}, 1, false, state.currentRevision());
  }

  private @Nullable RangeResult run(long rev) throws CorruptionException {
    collect(state.forIndex(rev));
    boolean fromIndex = options.keysOnly() && options.target() != RangeOptions.SortTarget.VALUE;
    byte[][] kvs = fromIndex ? described() : fetch();
    if (kvs == null) {
      return null;
    }
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
    long max = collectMax();
    IndexView.Walk walk = state.index().walk(range);
    while (matches.count() < max && matches.recordBytes() <= bytesMax && walk.nextLive(rev)) {
      matches.add(walk);
    }
    count = matches.count();
    if (count == max && options.withCount()) {
      count = rev == IndexView.LATEST ? state.index().countLatest(range) : count + walk.countLive(rev);
    }
  }

  /// The matches as the index knows them: without value and lease. Null when they take more than `bytesMax`.
  private byte @Nullable [][] described() {
    return matches.recordBytes() > bytesMax ? null : matches.records();
  }

  /// Null when the records take more than `bytesMax`.
  private byte @Nullable [][] fetch() throws CorruptionException {
    byte[][] kvs = new byte[matches.count()][];
    RecordFetch fetch = new RecordFetch(state);
    return fetch.records(matches.mains(), matches.subs(), kvs.length, kvs, bytesMax) ? kvs : null;
  }

  private byte[][] filterAndSort(byte[][] kvs) {
    List<StoredKv> decoded = new ArrayList<>(kvs.length);
    for (byte[] kv : kvs) {
      StoredKv candidate = StoredKv.decode(kv);
      if (options.passes(candidate.modRevision(), candidate.createRevision())) {
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
