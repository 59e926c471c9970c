/// What a proposal costs the leader, and an entry a follower, by JMH: `bench/raft` prints docs/PERFORMANCE.md's table.
///
/// Start at [LeaderBenchmark]. [DrivenNode] stands for the loop that owns a node in production; [LeaderScript] and
/// [FollowerScript] play the rest of the cluster with messages made beforehand, so that one node alone is measured.
@NullMarked
package dev.kvorum.raft.bench;

import org.jspecify.annotations.NullMarked;
