/// A key-value store in bbolt's file format, in pure Java: what etcd keeps its state in.
///
/// Starting point: [Bolt], one open file. It hands out one [WriteTx] at a time and any number of [ReadTx]; both are a
/// [Tx], a tree of [Bucket]s walked by [Cursor]s.
///
/// The file is an array of pages holding copy-on-write B+ trees. A commit writes changed pages to free places, syncs,
/// then writes one of two meta pages, syncs again: the file holds the old state or the new one, never a mixture. A
/// reader keeps the state it began with by keeping the pages of that state from being used again; it takes no lock.
///
/// Reading order for the curious: [Meta] and [Page] (bytes), [Committed] (what readers share), [Node] (a page being
/// changed), [Spill] (the commit), [FreePages] and [PendingPages] (the life of a page after its last use).
///
/// Format and rules: bbolt 1.5, `internal/common`, `db.go`, `tx.go`.
@NullMarked
package dev.kvorum.bolt;

import org.jspecify.annotations.NullMarked;
