package dev.kvorum.bolt;

/// What one commit did.
///
/// @param txid of the state it made
/// @param merges nodes joined with a sibling or dropped because deletions left them small
/// @param nodesWritten branch and leaf pages written (one with overflow counts once)
/// @param pagesWritten physical pages, without the meta page
/// @param bytesWritten bytes handed to the file
/// @param writeCalls write calls these took
/// @param freePages pages free for the next transaction
/// @param pendingPages freed pages that some reader may still see
/// @param sizeBytes of the database after it
public record CommitStats(
    long txid,
    int merges,
    int nodesWritten,
    long pagesWritten,
    long bytesWritten,
    int writeCalls,
    long freePages,
    long pendingPages,
    long sizeBytes) {}
