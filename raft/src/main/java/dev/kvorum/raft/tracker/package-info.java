/// What a leader knows of each member: how much it has, how much is on its way to it, whether it lives.
///
/// Start at [ProgressTracker]; [Progress] holds the flow control of one member.
@NullMarked
package dev.kvorum.raft.tracker;

import org.jspecify.annotations.NullMarked;
