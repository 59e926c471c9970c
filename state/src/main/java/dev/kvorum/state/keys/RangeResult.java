package dev.kvorum.state.keys;

/// The answer to a range.
///
/// @param kvs encoded `mvccpb.KeyValue`s, read-only: responses embed them as they are
/// @param count keys in the interval, whatever limit and filters left of them; less precise when
///     [RangeOptions#withCount] was false
/// @param more whether the limit cut something off
/// @param revision the store's revision at the time of reading, not the one asked for
public record RangeResult(byte[][] kvs, long count, boolean more, long revision) {}
