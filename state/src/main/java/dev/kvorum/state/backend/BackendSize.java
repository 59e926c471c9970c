package dev.kvorum.state.backend;

/// The file's size as of the last commit.
///
/// @param bytes all pages ever allocated; what etcd calls the database size and holds against the quota
/// @param inUseBytes the same without free pages
public record BackendSize(long bytes, long inUseBytes) {}
