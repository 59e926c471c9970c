/// The version of what is stored, and how it moves. Starting points: [Schema] for the file, [VersionMonitor] for the
/// cluster, [Version] for the numbers.
@NullMarked
package dev.kvorum.state.schema;

import org.jspecify.annotations.NullMarked;
