/// When enough members agree: votes and acknowledged indexes, under one majority or two joint ones.
///
/// Pure functions of a set of voters and what each said. Start at [JointQuorum].
@NullMarked
package dev.kvorum.raft.quorum;

import org.jspecify.annotations.NullMarked;
