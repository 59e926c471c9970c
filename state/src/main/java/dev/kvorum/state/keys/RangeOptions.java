package dev.kvorum.state.keys;

/// What a range asks for besides its interval. Bounds of revisions are inclusive; 0 is no bound.
///
/// @param revision at or below 0: the latest
/// @param limit the most keys to return; at or below 0: all
/// @param order with `NONE`, key order, except that a target other than the key is then sorted ascending
/// @param target what to sort by
/// @param countOnly returns no keys, only how many there are
/// @param keysOnly leaves values out (and, unless sorted by value, leases: it is answered from memory)
/// @param withCount whether [RangeResult#count] must be the number of keys in the whole interval. Without it, counting
///     may stop at the limit
///
/// Source: api.md §3.1.
public record RangeOptions(
    long revision,
    long limit,
    SortOrder order,
    SortTarget target,
    boolean countOnly,
    boolean keysOnly,
    long minModRevision,
    long maxModRevision,
    long minCreateRevision,
    long maxCreateRevision,
    boolean withCount) {

  /// In the wire's numbering.
  public enum SortOrder {
    NONE,
    ASCEND,
    DESCEND
  }

  /// In the wire's numbering.
  public enum SortTarget {
    KEY,
    VERSION,
    CREATE,
    MOD,
    VALUE
  }

  /// Everything, at the latest revision, in key order.
  public static final RangeOptions LATEST =
      new RangeOptions(0, 0, SortOrder.NONE, SortTarget.KEY, false, false, 0, 0, 0, 0, true);

  public RangeOptions at(long newRevision) {
    return new RangeOptions(
        newRevision, limit, order, target, countOnly, keysOnly, minModRevision, maxModRevision, minCreateRevision,
        maxCreateRevision, withCount);
  }

  public RangeOptions limit(long newLimit) {
    return new RangeOptions(
        revision, newLimit, order, target, countOnly, keysOnly, minModRevision, maxModRevision, minCreateRevision,
        maxCreateRevision, withCount);
  }

  public RangeOptions sorted(SortTarget newTarget, SortOrder newOrder) {
    return new RangeOptions(
        revision, limit, newOrder, newTarget, countOnly, keysOnly, minModRevision, maxModRevision, minCreateRevision,
        maxCreateRevision, withCount);
  }

  public RangeOptions counting() {
    return new RangeOptions(
        revision, limit, order, target, true, keysOnly, minModRevision, maxModRevision, minCreateRevision,
        maxCreateRevision, withCount);
  }

  public RangeOptions keysOnly(boolean value) {
    return new RangeOptions(
        revision, limit, order, target, countOnly, value, minModRevision, maxModRevision, minCreateRevision,
        maxCreateRevision, withCount);
  }

  public RangeOptions withCount(boolean value) {
    return new RangeOptions(
        revision, limit, order, target, countOnly, keysOnly, minModRevision, maxModRevision, minCreateRevision,
        maxCreateRevision, value);
  }

  public RangeOptions modified(long min, long max) {
    return new RangeOptions(
        revision, limit, order, target, countOnly, keysOnly, min, max, minCreateRevision, maxCreateRevision, withCount);
  }

  public RangeOptions created(long min, long max) {
    return new RangeOptions(
        revision, limit, order, target, countOnly, keysOnly, minModRevision, maxModRevision, min, max, withCount);
  }

  /// Key order as the index has it: nothing to sort afterwards, or nothing asked for.
  boolean isIndexOrder() {
    return order == SortOrder.NONE || target == SortTarget.KEY && order == SortOrder.ASCEND;
  }

  boolean hasFilters() {
    return minModRevision != 0 || maxModRevision != 0 || minCreateRevision != 0 || maxCreateRevision != 0;
  }

  /// Whether a change of these revisions is within the bounds.
  boolean passes(long modRevision, long createRevision) {
    return (maxModRevision == 0 || modRevision <= maxModRevision)
        && (minModRevision == 0 || modRevision >= minModRevision)
        && (maxCreateRevision == 0 || createRevision <= maxCreateRevision)
        && (minCreateRevision == 0 || createRevision >= minCreateRevision);
  }
}
