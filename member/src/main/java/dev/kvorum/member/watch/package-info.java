/// Watches: one shared log of events, each encoded once; a watcher is a cursor with a filter.
///
/// Start at [WatchHub]. Its promises are etcd's: ordered, unique, reliable, atomic, resumable, bookmarkable.
@NullMarked
package dev.kvorum.member.watch;

import org.jspecify.annotations.NullMarked;
