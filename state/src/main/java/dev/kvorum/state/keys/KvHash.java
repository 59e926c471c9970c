package dev.kvorum.state.keys;

/// HashKV's answer: equal on all members that have the revision and are compacted at the same one.
///
/// @param hash CRC-32C, to be read as unsigned
/// @param compactRevision -1 when nothing was ever compacted
/// @param revision up to which revision it covers
public record KvHash(int hash, long compactRevision, long revision) {}
