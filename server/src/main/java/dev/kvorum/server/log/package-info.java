/// The log as etcd's operators know it: one JSON object, or one line for people, per event.
///
/// Code everywhere logs through slf4j's fluent calls, keys in the order they shall appear; this package decides where
/// lines go and what they look like. Starting points: [Logs] (sets everything up), [ZapEncoder] (the shape of a line).
///
/// What a value should be: durations Go's text ([dev.kvorum.server.config.GoDuration]) or a `java.time.Duration`, byte
/// counts numbers, ids text already, lists arrays. A key `error` is put where zap puts it, in turn with the others.
@NullMarked
package dev.kvorum.server.log;

import org.jspecify.annotations.NullMarked;
