/// A key-value store in bbolt's file format, in pure Java: what etcd keeps its state in.
///
/// Starting point: [Bolt], one open file. It hands out one [WriteTx] at a time and any number of [ReadTx]; both are a
/// [Tx], a tree of [Bucket]s walked by [Cursor]s.
///
/// The file is an array of pages holding copy-on-write B+ trees. A commit writes changed pages to free places, syncs,
/// then writes one of two meta pages, syncs again: the file holds the old state or the new one, never a mixture. A
/// reader keeps the state it began with by keeping the pages of that state from being used again; it takes no lock.
///
/// Files that are broken: [Checker] says what is wrong, [Surgery] makes a copy that opens again (back by one
/// transaction, without or with a new list of free pages), [Salvage] saves what can be read. `bin/bolt` has all of it
/// as commands, under bbolt's names:
///
/// ```text
/// bin/bolt check FILE                                    what Checker finds; exit status 1 if anything
/// bin/bolt surgery revert-meta-page FILE --output COPY   the newest state is bad, the one before was not
/// bin/bolt surgery freelist abandon FILE --output COPY   "reachable freed", "already freed", an unreadable list
/// bin/bolt salvage FILE --output COPY [--strays]         pages are rotten: what can be read, and what was lost where
/// ```
///
/// Reading order for the curious: [Meta] and [Page] (bytes), [Committed] (what readers share), [Node] (a page being
/// changed), [Spill] (the commit), [FreePages] and [PendingPages] (the life of a page after its last use).
///
/// Format and rules: bbolt 1.5, `internal/common`, `db.go`, `tx.go`.
@NullMarked
package dev.kvorum.bolt;

import org.jspecify.annotations.NullMarked;
