/// Whole groups of raw nodes under a seeded scheduler, network and disk, with judges that know Raft's promises.
///
/// Start at [RandomClusterTest]; [Judges] lists the promises.
@NullMarked
package dev.kvorum.raft.cluster;

import org.jspecify.annotations.NullMarked;
