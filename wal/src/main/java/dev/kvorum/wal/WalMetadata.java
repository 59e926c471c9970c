package dev.kvorum.wal;

/// Whose log this is; written at the head of every segment and never changed.
///
/// @param nodeId unsigned, as `clusterId`
public record WalMetadata(long nodeId, long clusterId) {}
