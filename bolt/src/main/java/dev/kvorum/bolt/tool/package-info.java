/// The program `bin/bolt`: looks at, checks, copies and mends database files, under bbolt's own command names.
///
/// Starting point: [BoltTool], one method per command over the public classes of [dev.kvorum.bolt].
@NullMarked
package dev.kvorum.bolt.tool;

import org.jspecify.annotations.NullMarked;
